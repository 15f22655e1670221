// The spread of the numbers over the runs of --repeat.
#pragma once

#include <span>

#include "model/run_record.hpp"

namespace bops {

/// Mean, sample standard deviation (n - 1), minimum and maximum of instructions, loads, stores,
/// branches, bops_formula, operations.total and wall_ns. A number that a run lacks has no
/// statistic: the spread over the others would not be the spread of the runs. No runs: empty.
[[nodiscard]] RepeatSummary summarise(std::span<const RunRecord> runs);

}  // namespace bops
