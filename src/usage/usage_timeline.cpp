#include "usage/usage_timeline.hpp"

#include <time.h>

#include <algorithm>

#include "platform/clock.hpp"

namespace bops {
namespace {

using Wide = unsigned __int128;

/// The clocks may drift apart so far within an interval (NTP slews by 0.05 %) before it counts as
/// having been set.
constexpr std::int64_t kTolerance = kNsPerSecond;
/// Cuts at the end of an hour come so late that the hour has ended by any clock's resolution.
constexpr std::int64_t kAfterHour = 2'000'000;

std::uint64_t length(const TimeSlice& slice) {
  return static_cast<std::uint64_t>(slice.end - slice.start);
}

}  // namespace

Instant now_on_both_clocks() {
  timespec utc{};
  ::clock_gettime(CLOCK_REALTIME, &utc);
  return {mono_ns(), utc.tv_sec * kNsPerSecond + utc.tv_nsec};
}

std::chrono::nanoseconds UsageTimeline::until_cut(Instant now) const {
  const auto passed = static_cast<std::int64_t>(now.mono_ns - last_.mono_ns);
  const UtcNs time = std::max(now.utc, end_ + passed);
  const std::int64_t left = interval_.count() - passed;
  const std::int64_t to_hour = hour_of(time) + kNsPerHour - time + kAfterHour;
  return std::chrono::nanoseconds(std::max<std::int64_t>(1, std::min(left, to_hour)));
}

std::vector<TimeSlice> UsageTimeline::cut(Instant now) {
  const auto passed = static_cast<std::int64_t>(now.mono_ns - last_.mono_ns);
  const UtcNs start = end_;
  const UtcNs expected = start + std::max<std::int64_t>(passed, 1);
  const std::int64_t off = now.utc - expected;
  const bool as_expected = off <= kTolerance && off >= -kTolerance && now.utc > start;
  const UtcNs end = as_expected ? now.utc : expected;
  const std::int64_t step = now.utc - last_.utc - passed;
  last_ = now;
  // Ahead: the next interval starts when the clock says it does. Back: times do not go back.
  end_ = std::max(end, now.utc);

  std::vector<TimeSlice> slices = slices_between(start, end);
  const auto lengths = divide_by_time(static_cast<std::uint64_t>(passed), slices);
  for (std::size_t i = 0; i < slices.size(); ++i) slices[i].mono_ns = lengths[i];
  if (step > kTolerance || step < -kTolerance) slices.back().clock_step_ns = step;
  return slices;
}

std::vector<TimeSlice> slices_between(UtcNs start, UtcNs end) {
  std::vector<TimeSlice> slices;
  for (UtcNs from = start; from < end;) {
    const UtcNs to = std::min(end, hour_of(from) + kNsPerHour);
    slices.push_back({from, to, static_cast<std::uint64_t>(to - from), 0, false});
    from = to;
  }
  for (TimeSlice& slice : slices) slice.divided = slices.size() > 1;
  return slices;
}

std::vector<std::uint64_t> divide_by_time(std::uint64_t amount,
                                          const std::vector<TimeSlice>& slices) {
  Wide whole = 0, before = 0;
  for (const TimeSlice& slice : slices) whole += length(slice);
  std::vector<std::uint64_t> parts;
  std::uint64_t given = 0;
  for (const TimeSlice& slice : slices) {
    before += length(slice);
    const auto up_to = static_cast<std::uint64_t>(Wide{amount} * before / whole);
    parts.push_back(up_to - given);
    given = up_to;
  }
  return parts;
}

}  // namespace bops
