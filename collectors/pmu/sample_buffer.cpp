#include "collectors/pmu/sample_buffer.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace bops::pmu {

SampleBuffer::SampleBuffer(perf_event_mmap_page* control, std::span<std::byte> ring)
    : control_(control), ring_(ring) {}

SampleBuffer::SampleBuffer(SampleBuffer&& other) noexcept {
  *this = std::move(other);
}

SampleBuffer& SampleBuffer::operator=(SampleBuffer&& other) noexcept {
  std::swap(control_, other.control_);
  std::swap(ring_, other.ring_);
  std::swap(mapped_, other.mapped_);
  std::swap(joined_, other.joined_);
  return *this;
}

SampleBuffer::~SampleBuffer() {
  if (mapped_ > 0) ::munmap(control_, mapped_);
}

int SampleBuffer::map(int event) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t bytes = page + kRingBytes;
  // Writable: only then the kernel waits for room instead of overwriting what was not read.
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
  if (memory == MAP_FAILED) return errno;
  control_ = static_cast<perf_event_mmap_page*>(memory);
  ring_ = {static_cast<std::byte*>(memory) + page, kRingBytes};
  mapped_ = bytes;
  return 0;
}

std::span<const std::byte> SampleBuffer::record_at(std::uint64_t place, std::size_t size) {
  const std::size_t start = place & (ring_.size() - 1);
  if (start + size <= ring_.size()) return ring_.subspan(start, size);
  const std::size_t first = ring_.size() - start;
  joined_.resize(size);
  std::copy_n(ring_.begin() + static_cast<std::ptrdiff_t>(start), first, joined_.begin());
  std::copy_n(ring_.begin(), size - first, joined_.begin() + static_cast<std::ptrdiff_t>(first));
  return joined_;
}

void SampleBuffer::drain(const Take& take) {
  if (control_ == nullptr) return;
  // The kernel writes records before it moves the head, and looks at the tail before it writes
  // (linux/perf_event.h, data_head).
  std::atomic_ref<__u64> head_of(control_->data_head);
  std::atomic_ref<__u64> tail_of(control_->data_tail);
  const std::uint64_t head = head_of.load(std::memory_order_acquire);
  std::uint64_t tail = tail_of.load(std::memory_order_relaxed);
  while (head - tail >= sizeof(perf_event_header)) {
    perf_event_header header{};
    const auto start = record_at(tail, sizeof(header));
    std::memcpy(&header, start.data(), sizeof(header));
    if (header.size < sizeof(header) || header.size > head - tail) break;
    take(record_at(tail, header.size));
    tail += header.size;
  }
  tail_of.store(head, std::memory_order_release);
}

}  // namespace bops::pmu
