// Usage records of a run, and what its directory keeps of them until it is over: usage.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/run_record.hpp"
#include "session/run_directory.hpp"
#include "usage/usage_meter.hpp"

namespace bops {

/// Keeps what it takes to write the run's last records should bops die.
[[nodiscard]] Result<void> keep_usage_state(const std::string& directory_path,
                                            const UsageMeter& usage);

struct RecoveredUsage {
  std::string target;         ///< where the records are, as --usage named it
  UtcNs open_since = 0;       ///< the records ended there
  std::uint64_t records = 0;  ///< written now
};

/// Writes the records that a run whose bops died, or could not write them, lacks. `record` is what
/// recover_run() made of it. Nothing if the run has no usage records, or they are complete.
[[nodiscard]] Result<std::optional<RecoveredUsage>> recover_usage(const std::string& directory_path,
                                                                  const RunManifest& manifest,
                                                                  const RunRecord& record);

/// When the usage records of the run end; nothing if it has none, or they are complete.
[[nodiscard]] Result<std::optional<UtcNs>> usage_open_since(const std::string& directory_path);

}  // namespace bops
