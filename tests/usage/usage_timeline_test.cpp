#include "usage/usage_timeline.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace bops {
namespace {

constexpr std::uint64_t kMono = 5'000'000'000'000;
const UtcNs kHour = *parse_utc("2026-11-22T20:00:00Z");
const auto kMinute = std::chrono::seconds(60);

Instant after(UtcNs start, std::int64_t passed, std::int64_t clock_set_by = 0) {
  return {kMono + static_cast<std::uint64_t>(passed), start + passed + clock_set_by};
}

TEST(UsageTimeline, is_cut_every_interval_and_just_after_each_hour) {
  const UtcNs start = kHour - 90 * kNsPerSecond;
  UsageTimeline timeline({kMono, start}, kMinute);
  EXPECT_EQ(timeline.until_cut({kMono, start}), kMinute);
  (void)timeline.cut(after(start, 60 * kNsPerSecond));
  const auto left = timeline.until_cut(after(start, 60 * kNsPerSecond)).count();
  EXPECT_GE(left, 30 * kNsPerSecond);
  EXPECT_LT(left, 31 * kNsPerSecond);
}

TEST(UsageTimeline, has_intervals_that_follow_one_another_and_never_straddle_an_hour) {
  std::mt19937_64 random(7);
  for (int run = 0; run < 200; ++run) {
    const UtcNs start = kHour - static_cast<std::int64_t>(random() % 7'200'000'000'000);
    UsageTimeline timeline({kMono, start}, kMinute);
    std::int64_t passed = 0;
    UtcNs end = start;
    std::uint64_t mono = 0;
    for (int cut = 0; cut < 50; ++cut) {
      passed += 1 + static_cast<std::int64_t>(random() % 900'000'000'000);
      for (const TimeSlice& slice : timeline.cut(after(start, passed))) {
        EXPECT_EQ(slice.start, end);
        EXPECT_LT(slice.start, slice.end);
        EXPECT_EQ(hour_of(slice.start), hour_of(slice.end - 1));
        EXPECT_EQ(slice.clock_step_ns, 0);
        end = slice.end;
        mono += slice.mono_ns;
      }
      EXPECT_EQ(end, start + passed);
      EXPECT_EQ(mono, static_cast<std::uint64_t>(passed));
    }
  }
}

TEST(UsageTimeline, never_goes_back_when_the_clock_does) {
  const UtcNs start = kHour + 10 * 60 * kNsPerSecond;
  UsageTimeline timeline({kMono, start}, kMinute);
  const std::int64_t back = -1200 * kNsPerSecond;
  const auto first = timeline.cut(after(start, 60 * kNsPerSecond, back));
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].end - first[0].start, 60 * kNsPerSecond) << "by the monotonic clock";
  EXPECT_EQ(first[0].clock_step_ns, back);
  const auto second = timeline.cut(after(start, 120 * kNsPerSecond, back));
  EXPECT_EQ(second[0].start, first[0].end);
  EXPECT_EQ(second[0].end - second[0].start, 60 * kNsPerSecond);
  EXPECT_EQ(second[0].clock_step_ns, 0) << "told once";
  const auto third = timeline.cut(after(start, 180 * kNsPerSecond));
  EXPECT_EQ(third[0].start, second[0].end);
  EXPECT_EQ(third[0].end, start + 180 * kNsPerSecond) << "the clock was set right again";
}

TEST(UsageTimeline, leaves_out_the_time_that_the_machine_slept) {
  const UtcNs start = kHour + 10 * 60 * kNsPerSecond;
  UsageTimeline timeline({kMono, start}, kMinute);
  const auto before = timeline.cut(after(start, 5 * kNsPerSecond, 3 * kNsPerHour));
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(before[0].end - before[0].start, 5 * kNsPerSecond);
  EXPECT_EQ(before[0].clock_step_ns, 3 * kNsPerHour);
  const auto later = timeline.cut(after(start, 6 * kNsPerSecond, 3 * kNsPerHour));
  EXPECT_EQ(later[0].start, start + 5 * kNsPerSecond + 3 * kNsPerHour);
  EXPECT_EQ(later[0].end, start + 6 * kNsPerSecond + 3 * kNsPerHour);
}

TEST(UsageTimeline, is_not_upset_by_clocks_that_drift) {
  UsageTimeline timeline({kMono, kHour}, kMinute);
  const auto slices = timeline.cut(after(kHour, 60 * kNsPerSecond, -30'000'000));
  EXPECT_EQ(slices[0].end, kHour + 60 * kNsPerSecond - 30'000'000);
  EXPECT_EQ(slices[0].mono_ns, static_cast<std::uint64_t>(60 * kNsPerSecond));
  EXPECT_EQ(slices[0].clock_step_ns, 0);
}

TEST(DivideByTime, gives_parts_that_sum_to_the_whole) {
  std::mt19937_64 random(11);
  for (std::size_t run = 0; run < 1000; ++run) {
    std::vector<TimeSlice> slices;
    UtcNs from = kHour;
    for (std::size_t i = 0; i < 1 + run % 5; ++i) {
      const UtcNs to = from + 1 + static_cast<std::int64_t>(random() % kNsPerHour);
      slices.push_back({from, to, 0});
      from = to;
    }
    const std::uint64_t amount = random() >> (run % 63);
    const auto parts = divide_by_time(amount, slices);
    ASSERT_EQ(parts.size(), slices.size());
    EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), std::uint64_t{0}), amount);
  }
  const std::vector<TimeSlice> halves{{kHour, kHour + 10, 0}, {kHour + 10, kHour + 20, 0}};
  EXPECT_EQ(divide_by_time(7, halves), (std::vector<std::uint64_t>{3, 4})) << "rounded down first";
}

}  // namespace
}  // namespace bops
