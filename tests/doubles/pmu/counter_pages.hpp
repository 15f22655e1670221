// The pages by which a thread reads its own events with rdpmc (perf_event_open(2), "MMAP layout").
#pragma once

#include <linux/perf_event.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace bops::pmu_double {

/// The counters are numbered as the pages are made. They have 48 bits, and begin with a negative
/// value, as those of a PMU may; at every third reading the event seems to have been switched off
/// and on meanwhile, so that what was read before does not fit the page any more.
class CounterPages {
 public:
  /// A page for the event that shows `value` now: its address, or a negative errno. Takes `fd`, by
  /// which the event can be read.
  long map(int fd, std::uint64_t event, std::uint64_t value);
  /// The descriptor of its event, if it was such a page.
  std::optional<int> unmap(void* memory);
  /// Whether there are any; safe at any time.
  [[nodiscard]] bool has_pages() const { return count_ > 0; }

  /// A counter that is read: its event, and the descriptor that map() was given.
  struct Counter {
    std::uint64_t event = 0;
    int fd = -1;
  };
  [[nodiscard]] std::optional<Counter> find(std::uint32_t counter) const;
  /// What the counter holds if its event shows `value`.
  std::uint64_t read(std::uint32_t counter, std::uint64_t value);
  /// The event is on no counter any more.
  void take_off(std::uint32_t counter);

 private:
  struct Page {
    Counter counter;
    perf_event_mmap_page* memory = nullptr;
  };
  std::map<std::uint32_t, Page> pages_;  ///< by their counters' numbers
  std::atomic<std::size_t> count_ = 0;
  std::uint32_t made_ = 0;
  std::uint64_t readings_ = 0;
};

}  // namespace bops::pmu_double
