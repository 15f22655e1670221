// Runs the jobs of bops validate: several at once, each worker a process of its own, because a
// process holds one target at a time.
#pragma once

#include <string>
#include <vector>

#include "session/collector_choice.hpp"
#include "validate/bench.hpp"

namespace bops {

/// A bench whose collector is the one named, or that auto chooses; `workloads` is the directory of
/// bops-workload, empty for that of bops. The collectors must outlive it.
[[nodiscard]] Result<validate::Bench> make_bench(Collectors collectors,
                                                 const std::string& collector,
                                                 const std::string& workloads);

}  // namespace bops
