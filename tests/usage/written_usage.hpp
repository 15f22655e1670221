// Records that a run has written, for tests that look at them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "usage/usage_record.hpp"

namespace bops::written {

/// Those of a file or a directory. A last line without its newline is passed over; any other line
/// that is no record fails the test.
[[nodiscard]] std::vector<UsageRecord> records_of(const std::string& path);

/// The sum of a meter; of all subjects if `subject` is empty.
[[nodiscard]] std::uint64_t sum(const std::vector<UsageRecord>& records, const std::string& meter,
                                const std::string& subject = "");

/// Waits until a file has so many whole lines, as long as it takes.
void wait_for_lines(const std::string& path, std::size_t count);

/// Waits until a process has ended (or is a zombie), as long as it takes.
void wait_for_end(pid_t pid);

}  // namespace bops::written
