// Brings files of records into a ledger.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "usage/ledger.hpp"

namespace bops {

struct ImportReport {
  std::uint64_t files = 0;
  std::uint64_t lines = 0;    ///< that were read; empty ones are passed over
  std::uint64_t resumed = 0;  ///< lines passed over as an import before this one had read them
  std::uint64_t checkpoints = 0;
  AppendCounts counts;
};

/// Reads files, and the .jsonl files of directories, with the checkpoints beside them. What is no
/// record goes to quarantine with the reason, and is told to `on_problem`; the rest goes in.
/// Importing again changes nothing; an import that was cut off is taken up where it was. Memory is
/// bounded.
[[nodiscard]] Result<ImportReport> import_records(
    Ledger& ledger, const std::vector<std::string>& paths, UtcNs now,
    const std::function<void(const QuarantinedLine&)>& on_problem);

/// The ledger of that name, or one on disk for this process alone with the records of a file or
/// directory, whose bad lines are told to `on_problem`.
[[nodiscard]] Result<std::unique_ptr<Ledger>> open_records(
    const std::string& where, const std::function<void(const QuarantinedLine&)>& on_problem);

}  // namespace bops
