// Where the records of a run are written while it goes on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/error.hpp"
#include "usage/checkpoint.hpp"

namespace bops {

/// What has returned without a failure survives a crash of bops and of the machine. What failed has
/// left nothing behind, and may be tried again.
class UsageSink {
 public:
  UsageSink() = default;
  UsageSink(const UsageSink&) = delete;
  UsageSink& operator=(const UsageSink&) = delete;
  virtual ~UsageSink() = default;
  /// All of the lines (without newlines), or none.
  [[nodiscard]] virtual Result<void> append(const std::vector<std::string>& lines) = 0;
  [[nodiscard]] virtual Result<void> append(const Checkpoint& checkpoint) = 0;
};

/// A file of records, or one named after the run in a directory, with a file of checkpoints beside
/// it, and one in each second place. A file is locked: one run writes to it at a time. Of a file
/// that was there, a last line without its newline is taken off: it never was a record.
[[nodiscard]] Result<std::unique_ptr<UsageSink>> open_file_sink(
    const std::string& file_or_directory, const std::string& source,
    const std::vector<std::string>& second_places);

/// What --usage names: a ledger, else a file or directory.
[[nodiscard]] Result<std::unique_ptr<UsageSink>> open_sink(
    const std::string& target, const std::string& source,
    const std::vector<std::string>& second_places);

}  // namespace bops
