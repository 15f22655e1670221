#include "tests/doubles/pmu/process_code.hpp"

#include <linux/perf_event.h>

#include <cstdio>
#include <cstring>
#include <fstream>

namespace bops::pmu_double {
namespace {

constexpr std::size_t kPidAt = sizeof(perf_event_header);

template <class Value>
Value value_at(const SampleRing::Record& record, std::size_t at) {
  Value value{};
  if (at + sizeof(value) <= record.size()) std::memcpy(&value, record.data() + at, sizeof(value));
  return value;
}

}  // namespace

pid_t process_of(pid_t tid) {
  std::ifstream file("/proc/" + std::to_string(tid) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("Tgid:")) return static_cast<pid_t>(std::stol(line.substr(5)));
  return 0;
}

void ProcessCode::look_at(pid_t pid) {
  std::vector<Mapping>& mappings = processes_[pid];
  mappings.clear();
  std::ifstream file("/proc/" + std::to_string(pid) + "/maps");
  for (std::string line; std::getline(file, line);) {
    unsigned long start = 0, end = 0, offset = 0;
    int path_at = 0;
    char rights[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %lx %*s %*s %n", &start, &end, rights, &offset,
                    &path_at) < 4)
      continue;
    mappings.push_back({start, end, offset, line.substr(static_cast<std::size_t>(path_at))});
  }
}

void ProcessCode::take(const SampleRing::Record& record) {
  const auto header = value_at<perf_event_header>(record, 0);
  const auto pid = static_cast<pid_t>(value_at<std::uint32_t>(record, kPidAt));
  if (header.type == PERF_RECORD_COMM && (header.misc & PERF_RECORD_MISC_COMM_EXEC) != 0)
    processes_[pid].clear();
  if (header.type != PERF_RECORD_MMAP2) return;
  constexpr std::size_t kStartAt = kPidAt + 8, kPathAt = kStartAt + 3 * 8 + 24 + 8;
  const auto start = value_at<std::uint64_t>(record, kStartAt);
  if (record.size() <= kPathAt) return;
  processes_[pid].push_back(
      {start, start + value_at<std::uint64_t>(record, kStartAt + 8),
       value_at<std::uint64_t>(record, kStartAt + 16),
       std::string(record.data() + kPathAt,
                   ::strnlen(record.data() + kPathAt, record.size() - kPathAt))});
}

std::optional<std::uint64_t> ProcessCode::address(pid_t pid, const std::string& file,
                                                  std::uint64_t offset) const {
  const auto process = processes_.find(pid);
  if (process == processes_.end()) return std::nullopt;
  for (auto mapping = process->second.rbegin(); mapping != process->second.rend(); ++mapping)
    if (mapping->file == file && offset >= mapping->offset &&
        offset - mapping->offset < mapping->end - mapping->start)
      return mapping->start + (offset - mapping->offset);
  return std::nullopt;
}

}  // namespace bops::pmu_double
