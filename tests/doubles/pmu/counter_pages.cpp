#include "tests/doubles/pmu/counter_pages.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/doubles/pmu/kernel.hpp"

namespace bops::pmu_double {
namespace {

constexpr std::uint32_t kFixed = 1U << 30U;  // as the numbers of Intel's fixed counters
constexpr unsigned kBits = 48;
constexpr std::uint64_t kBelowZero = 50'000;  // where a counter begins
constexpr std::int64_t kMoved = 12'345'678;   // by which an offset changes
constexpr std::size_t kPageBytes = 4096;

void change(perf_event_mmap_page& page, std::uint32_t index, std::int64_t offset) {
  ++page.lock;
  page.index = index;
  page.offset = offset;
  // Always on a counter, as far as it ran.
  page.time_enabled += 1000;
  page.time_running += 1000;
  ++page.lock;
}

}  // namespace

long CounterPages::map(int fd, std::uint64_t event, std::uint64_t value) {
  const long memory = kernel_call(SYS_mmap, 0, kPageBytes, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory < 0 && memory > -4096) return memory;
  // As the kernel's: a child of fork(2) does not have it.
  kernel_call(SYS_madvise, memory, kPageBytes, MADV_DONTFORK);
  auto* const page = reinterpret_cast<perf_event_mmap_page*>(memory);
  page->cap_bit0_is_deprecated = 1;
  page->cap_user_rdpmc = 1;
  page->pmc_width = kBits;
  const std::uint32_t counter = kFixed + made_++;
  change(*page, counter + 1, static_cast<std::int64_t>(value + kBelowZero));
  pages_[counter] = {{event, fd}, page};
  count_ = pages_.size();
  return memory;
}

std::optional<int> CounterPages::unmap(void* memory) {
  for (auto page = pages_.begin(); page != pages_.end(); ++page)
    if (page->second.memory == memory) {
      const int fd = page->second.counter.fd;
      kernel_call(SYS_munmap, reinterpret_cast<long>(memory), kPageBytes);
      pages_.erase(page);
      count_ = pages_.size();
      return fd;
    }
  return std::nullopt;
}

std::optional<CounterPages::Counter> CounterPages::find(std::uint32_t counter) const {
  const auto page = pages_.find(counter);
  return page == pages_.end() ? std::nullopt : std::optional(page->second.counter);
}

std::uint64_t CounterPages::read(std::uint32_t counter, std::uint64_t value) {
  perf_event_mmap_page& page = *pages_.at(counter).memory;
  const std::uint64_t held = value - static_cast<std::uint64_t>(page.offset);
  if (++readings_ % 3 == 0) change(page, page.index, page.offset + kMoved);
  return held & ((std::uint64_t{1} << kBits) - 1);
}

void CounterPages::take_off(std::uint32_t counter) {
  perf_event_mmap_page& page = *pages_.at(counter).memory;
  change(page, 0, page.offset);
}

}  // namespace bops::pmu_double
