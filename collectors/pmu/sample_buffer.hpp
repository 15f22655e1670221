// The buffer in which the kernel leaves the samples of a thread.
#pragma once

#include <linux/perf_event.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace bops::pmu {

/// The mapping of an event that samples (perf_event_open(2), "MMAP layout"): a page of control data
/// and a ring of records. Owner of the mapping.
class SampleBuffer {
 public:
  static constexpr std::size_t kRingBytes = 64UL << 10U;  ///< a power of two, some 2000 samples

  SampleBuffer() = default;
  SampleBuffer(SampleBuffer&& other) noexcept;
  SampleBuffer& operator=(SampleBuffer&& other) noexcept;
  ~SampleBuffer();

  /// 0, or the errno of mmap(2): EPERM beyond what the user may lock
  /// (/proc/sys/kernel/perf_event_mlock_kb and RLIMIT_MEMLOCK).
  [[nodiscard]] int map(int event);
  /// A ring in memory of the caller's, for tests. `ring` is a power of two.
  SampleBuffer(perf_event_mmap_page* control, std::span<std::byte> ring);

  using Take = std::function<void(std::span<const std::byte>)>;
  /// Hands over each record that has come, whole, and makes room for others. One caller at a time.
  void drain(const Take& take);

 private:
  std::span<const std::byte> record_at(std::uint64_t place, std::size_t size);

  perf_event_mmap_page* control_ = nullptr;
  std::span<std::byte> ring_;
  std::size_t mapped_ = 0;         ///< bytes to unmap; 0: the memory is not ours
  std::vector<std::byte> joined_;  ///< a record that goes over the end of the ring
};

}  // namespace bops::pmu
