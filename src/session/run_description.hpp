// What is known of a run before it is counted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/collector.hpp"
#include "model/run_record.hpp"
#include "session/run_directory.hpp"

namespace bops {

/// The record of a run that begins now. `command`: absent under --redact; `collector`: null if
/// nothing counts.
[[nodiscard]] RunRecord describe_run(std::optional<std::vector<std::string>> command,
                                     std::map<std::string, std::string> labels,
                                     const Collector* collector);

/// The record of a run that goes on still.
[[nodiscard]] RunRecord so_far(RunRecord record, RunCounts counts, std::uint64_t wall_ns);

/// For the directory of that run, of the running bops. `gpus`: null if no GPU is counted.
[[nodiscard]] RunManifest manifest_of(const RunRecord& record, const Collector* gpus,
                                      const RunDirectory& directory);

}  // namespace bops
