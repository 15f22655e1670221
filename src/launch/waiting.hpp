// Sleeping until something happens, and what is done at regular times. Room-internal.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "launch/target_process.hpp"

namespace bops {

using WaitClock = std::chrono::steady_clock;

/// The one that comes first, if any.
[[nodiscard]] inline std::optional<WaitClock::time_point> earliest(
    std::optional<WaitClock::time_point> a, std::optional<WaitClock::time_point> b) {
  return a && b ? std::min(*a, *b) : (a ? a : b);
}

/// Waits until one of `polled` is readable or `deadline` has passed.
void sleep_until(std::vector<pollfd>& polled, std::optional<WaitClock::time_point> deadline);

/// Keeps the ticks on multiples of the period; those missed while bops was stopped are left out.
class Ticking {
 public:
  explicit Ticking(const Ticker& ticker) : ticker_(ticker) {
    if (ticker.period.count() > 0 && ticker.on_tick) next_ = WaitClock::now() + ticker.period;
  }
  [[nodiscard]] std::optional<WaitClock::time_point> next() const { return next_; }
  void tick_if_due();

 private:
  const Ticker& ticker_;
  std::optional<WaitClock::time_point> next_;
};

}  // namespace bops
