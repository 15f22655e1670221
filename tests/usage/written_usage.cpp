#include "tests/usage/written_usage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <thread>

#include "platform/procfs.hpp"
#include "tests/harness/subprocess.hpp"
#include "usage/records_files.hpp"

namespace bops::written {

std::vector<UsageRecord> records_of(const std::string& path) {
  std::vector<UsageRecord> records;
  const auto files = records_files(path);
  for (const std::string& file : files ? *files : std::vector<std::string>{}) {
    std::istringstream lines(harness::read_file(file));
    for (std::string line; std::getline(lines, line);) {
      auto record = parse_usage_line(line);
      if (record)
        records.push_back(*std::move(record));
      else if (!lines.eof())
        ADD_FAILURE() << file << ": " << record.error().message << ": " << line;
    }
  }
  return records;
}

std::uint64_t sum(const std::vector<UsageRecord>& records, const std::string& meter,
                  const std::string& subject) {
  std::uint64_t total = 0;
  for (const UsageRecord& record : records)
    if (record.meter == meter && (subject.empty() || record.subject == subject))
      total += record.quantity;
  return total;
}

void wait_for_lines(const std::string& path, std::size_t count) {
  for (;;) {
    const std::string text = harness::read_file(path);
    if (static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) >= count) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void wait_for_end(pid_t pid) {
  for (;;) {
    const auto stat = read_process_stat(pid);
    if (!stat || stat->state == 'Z') return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace bops::written
