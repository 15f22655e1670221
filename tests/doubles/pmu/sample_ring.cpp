#include "tests/doubles/pmu/sample_ring.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstring>

#include "tests/doubles/pmu/kernel.hpp"

namespace bops::pmu_double {
namespace {

constexpr std::size_t kPage = 4096;

perf_event_mmap_page* control_of(void* memory) {
  return static_cast<perf_event_mmap_page*>(memory);
}

/// `size` bytes of a ring of `ring_bytes` (a power of two), also across its end.
void copy_from(const char* ring, std::size_t ring_bytes, std::uint64_t at, char* to,
               std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) to[i] = ring[(at + i) & (ring_bytes - 1)];
}

long map_memory(std::size_t bytes, int flags, int fd) {
  return kernel_call(SYS_mmap, 0, static_cast<long>(bytes), PROT_READ | PROT_WRITE, flags, fd, 0);
}

bool has_failed(long address) {
  return address < 0 && address > -static_cast<long>(kPage);
}

}  // namespace

SampleRing::Record make_record(std::uint32_t type, std::uint16_t misc,
                               const std::vector<std::uint64_t>& words) {
  SampleRing::Record record(sizeof(perf_event_header) + words.size() * sizeof(words[0]));
  const perf_event_header header{type, misc, static_cast<std::uint16_t>(record.size())};
  std::memcpy(record.data(), &header, sizeof(header));
  std::memcpy(record.data() + sizeof(header), words.data(), words.size() * sizeof(words[0]));
  return record;
}

std::unique_ptr<SampleRing> SampleRing::map(int fd, std::size_t bytes, long& error) {
  const long kernel = map_memory(bytes, MAP_SHARED, fd);
  if (has_failed(kernel)) {
    error = kernel;
    return nullptr;
  }
  const long memory = map_memory(bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (has_failed(memory)) {
    kernel_call(SYS_munmap, kernel, static_cast<long>(bytes));
    error = memory;
    return nullptr;
  }
  return std::unique_ptr<SampleRing>(
      new SampleRing(reinterpret_cast<void*>(memory), reinterpret_cast<void*>(kernel), bytes));
}

SampleRing::SampleRing(void* memory, void* kernel, std::size_t bytes)
    : memory_(memory), kernel_(kernel), bytes_(bytes) {
  perf_event_mmap_page* const control = control_of(memory_);
  control->data_offset = kPage;
  control->data_size = bytes_ - kPage;
}

SampleRing::~SampleRing() {
  for (void* const each : {memory_, kernel_})
    kernel_call(SYS_munmap, reinterpret_cast<long>(each), static_cast<long>(bytes_));
}

std::uint64_t SampleRing::relay(std::uint64_t id, const std::function<void(const Record&)>& see) {
  perf_event_mmap_page* const control = control_of(kernel_);
  const char* const ring = static_cast<const char*>(kernel_) + kPage;
  const std::size_t ring_bytes = bytes_ - kPage;
  const std::uint64_t head = __atomic_load_n(&control->data_head, __ATOMIC_ACQUIRE);
  std::uint64_t tail = control->data_tail;
  std::uint64_t without_room = 0;
  while (tail < head) {
    perf_event_header header{};
    copy_from(ring, ring_bytes, tail, reinterpret_cast<char*>(&header), sizeof(header));
    if (header.size < sizeof(header)) break;
    Record record(header.size);
    copy_from(ring, ring_bytes, tail, record.data(), record.size());
    see(record);
    if (!put(id, record)) ++without_room;
    tail += header.size;
  }
  __atomic_store_n(&control->data_tail, tail, __ATOMIC_RELEASE);
  return without_room;
}

/// One byte is never used (CIRC_SPACE() of the kernel).
bool SampleRing::has_room(std::size_t bytes) const {
  const std::uint64_t tail = __atomic_load_n(&control_of(memory_)->data_tail, __ATOMIC_ACQUIRE);
  return head_ - tail + bytes < bytes_ - kPage;
}

void SampleRing::write(const Record& record) {
  char* const ring = static_cast<char*>(memory_) + kPage;
  const std::size_t ring_bytes = bytes_ - kPage;
  for (std::size_t i = 0; i < record.size(); ++i) ring[(head_ + i) & (ring_bytes - 1)] = record[i];
  head_ += record.size();
  __atomic_store_n(&control_of(memory_)->data_head, head_, __ATOMIC_RELEASE);
}

bool SampleRing::put(std::uint64_t id, const Record& record) {
  const Record tells = make_record(PERF_RECORD_LOST, 0, {id, lost_});
  if (!has_room(record.size() + (lost_ > 0 ? tells.size() : 0))) {
    ++lost_;
    return false;
  }
  if (lost_ > 0) write(tells);
  lost_ = 0;
  write(record);
  return true;
}

}  // namespace bops::pmu_double
