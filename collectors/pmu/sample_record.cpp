#include "collectors/pmu/sample_record.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace bops::pmu {
namespace {

// Newer than the headers of Debian 12 may be.
constexpr std::uint16_t kHasBuildId = 1U << 14U;  // PERF_RECORD_MISC_MMAP_BUILD_ID, Linux 5.12

template <class Layout>
std::optional<Layout> start_of(std::span<const std::byte> bytes) {
  Layout layout{};
  if (bytes.size() < sizeof(layout)) return std::nullopt;
  std::memcpy(&layout, bytes.data(), sizeof(layout));
  return layout;
}

struct SampleLayout {
  perf_event_header header;
  std::uint64_t identifier;
  std::uint64_t ip;
  std::uint32_t pid, tid;
};

struct MappingLayout {
  perf_event_header header;
  std::uint32_t pid, tid;
  std::uint64_t address, length, offset;
  std::array<std::uint8_t, 24> file;  ///< device and inode; or a size, 3 bytes, and the build-id
  std::uint32_t protection, flags;
};

struct CommLayout {
  perf_event_header header;
  std::uint32_t pid, tid;
};

struct LostLayout {
  perf_event_header header;
  std::uint64_t identifier, lost;
};

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xfU];
  }
  return text;
}

std::string text_in(std::span<const std::byte> bytes) {
  const auto end = std::find(bytes.begin(), bytes.end(), std::byte{0});
  return {reinterpret_cast<const char*>(bytes.data()),
          static_cast<std::size_t>(end - bytes.begin())};
}

std::optional<SampleRecord> mapping_of(std::span<const std::byte> bytes) {
  const auto read = start_of<MappingLayout>(bytes);
  if (!read) return std::nullopt;
  CodeMapping mapping;
  mapping.pid = static_cast<pid_t>(read->pid);
  mapping.start = read->address;
  mapping.end = read->address + read->length;
  mapping.file_offset = read->offset;
  mapping.path = text_in(bytes.subspan(sizeof(MappingLayout)));
  constexpr std::size_t kBuildIdAt = 4;
  const std::span file(read->file);
  if ((read->header.misc & kHasBuildId) != 0 && file[0] <= file.size() - kBuildIdAt)
    mapping.build_id = hex(file.subspan(kBuildIdAt, file[0]));
  return mapping;
}

}  // namespace

std::optional<SampleRecord> parse_sample_record(std::span<const std::byte> bytes) {
  const auto header = start_of<perf_event_header>(bytes);
  if (!header) return std::nullopt;
  switch (header->type) {
    case PERF_RECORD_SAMPLE:
      if (const auto read = start_of<SampleLayout>(bytes))
        return AddressSample{read->identifier, read->ip, static_cast<pid_t>(read->pid)};
      return std::nullopt;
    case PERF_RECORD_MMAP2: return mapping_of(bytes);
    case PERF_RECORD_COMM:
      if ((header->misc & PERF_RECORD_MISC_COMM_EXEC) == 0) return std::nullopt;
      if (const auto read = start_of<CommLayout>(bytes))
        return NewProgram{static_cast<pid_t>(read->pid)};
      return std::nullopt;
    case PERF_RECORD_LOST:
      if (const auto read = start_of<LostLayout>(bytes)) return LostSamples{read->lost};
      return std::nullopt;
    default: return std::nullopt;
  }
}

}  // namespace bops::pmu
