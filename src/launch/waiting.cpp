#include "launch/waiting.hpp"

namespace bops {

void sleep_until(std::vector<pollfd>& polled, std::optional<WaitClock::time_point> deadline) {
  if (!deadline) {
    ::ppoll(polled.data(), polled.size(), nullptr, nullptr);
    return;
  }
  using std::chrono::nanoseconds, std::chrono::seconds;
  const nanoseconds left = std::max(nanoseconds(*deadline - WaitClock::now()), nanoseconds(0));
  const auto whole = std::chrono::duration_cast<seconds>(left);
  const timespec timeout{whole.count(), (left - whole).count()};
  ::ppoll(polled.data(), polled.size(), &timeout, nullptr);
}

void Ticking::tick_if_due() {
  if (!next_ || WaitClock::now() < *next_) return;
  ticker_.on_tick();
  const auto behind = WaitClock::now() - *next_;
  if (behind >= ticker_.period) *next_ += (behind / ticker_.period) * ticker_.period;
  *next_ += ticker_.period;
}

}  // namespace bops
