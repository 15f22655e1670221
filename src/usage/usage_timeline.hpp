// When the intervals of a run's records begin and end.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "usage/utc_time.hpp"

namespace bops {

/// What both clocks show at one moment.
struct Instant {
  std::uint64_t mono_ns;  ///< CLOCK_MONOTONIC
  UtcNs utc;              ///< CLOCK_REALTIME
};

[[nodiscard]] Instant now_on_both_clocks();

/// A part of an interval that lies in one UTC hour.
struct TimeSlice {
  UtcNs start;
  UtcNs end;
  std::uint64_t mono_ns;  ///< the parts of an interval sum to its length by the monotonic clock
  std::int64_t clock_step_ns = 0;  ///< the clock was set by so much at its end
  bool divided =
      false;  ///< one of several: when within the interval things were counted is not known
};

/// Intervals that follow one another. Where the clock is set back, or jumps ahead (the machine
/// slept), an interval is as long as the monotonic clock says. Times never go back: after the clock
/// was set back they go on at the pace of the monotonic clock until it has caught up.
class UsageTimeline {
 public:
  UsageTimeline(Instant start, std::chrono::nanoseconds interval)
      : last_(start), end_(start.utc), interval_(interval) {}

  /// Time from `now` to the next cut: at the end of the hour, or when the interval has passed.
  [[nodiscard]] std::chrono::nanoseconds until_cut(Instant now) const;
  /// The interval from the cut before to `now`, divided at hours.
  [[nodiscard]] std::vector<TimeSlice> cut(Instant now);

 private:
  Instant last_;  ///< of the last cut
  UtcNs end_;     ///< of the last interval; later than the clock after that was set back
  std::chrono::nanoseconds interval_;
};

/// The time from `start` to `end`, which is later, divided at hours; its length by the monotonic
/// clock is not known, and taken to be the same.
[[nodiscard]] std::vector<TimeSlice> slices_between(UtcNs start, UtcNs end);

/// Divides an amount of an interval over its slices, by time, rounding the running sum down: the
/// parts sum to the whole.
[[nodiscard]] std::vector<std::uint64_t> divide_by_time(std::uint64_t amount,
                                                        const std::vector<TimeSlice>& slices);

}  // namespace bops
