// What the kernel writes into the buffer of a sampling event.
#pragma once

#include <linux/perf_event.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

namespace bops::pmu {

/// PERF_RECORD_SAMPLE of an event with kSampleType.
struct AddressSample {
  std::uint64_t event = 0;  ///< PERF_EVENT_IOC_ID
  std::uint64_t address = 0;
  pid_t pid = 0;
};

/// PERF_RECORD_MMAP2 of code: a file, or a name in brackets or with two slashes ("//anon").
struct CodeMapping {
  pid_t pid = 0;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t file_offset = 0;
  std::string path;
  std::string build_id;  ///< in lower-case hex; empty where the kernel gives none (before 5.12)
};

/// PERF_RECORD_COMM by execve(2): the process has new code.
struct NewProgram {
  pid_t pid = 0;
};

/// PERF_RECORD_LOST.
struct LostSamples {
  std::uint64_t number = 0;
};

using SampleRecord = std::variant<AddressSample, CodeMapping, NewProgram, LostSamples>;

/// perf_event_attr::sample_type, with sample_id_all 0.
inline constexpr std::uint64_t kSampleType =
    PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID;

/// Nothing for other records, and for those that are too short for what they should be. Any bytes
/// will do. Source: perf_event_open(2), "MMAP layout".
[[nodiscard]] std::optional<SampleRecord> parse_sample_record(std::span<const std::byte> bytes);

}  // namespace bops::pmu
