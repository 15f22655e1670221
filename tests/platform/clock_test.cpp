#include "platform/clock.hpp"

#include <gtest/gtest.h>

#include <ctime>

namespace bops {
namespace {

std::chrono::system_clock::time_point after_epoch(std::chrono::nanoseconds time) {
  return std::chrono::system_clock::time_point(time);
}

TEST(Clock, writes_the_epoch_with_nine_decimals) {
  EXPECT_EQ(rfc3339_utc(after_epoch(std::chrono::nanoseconds(0))),
            "1970-01-01T00:00:00.000000000Z");
}

TEST(Clock, keeps_single_nanoseconds_on_a_leap_day) {
  const auto leap_day = std::chrono::sys_days(std::chrono::year(2024) / 2 / 29);
  EXPECT_EQ(rfc3339_utc(leap_day + std::chrono::hours(23) + std::chrono::minutes(59) +
                        std::chrono::seconds(59) + std::chrono::nanoseconds(1)),
            "2024-02-29T23:59:59.000000001Z");
}

TEST(Clock, rounds_down_before_the_epoch) {
  EXPECT_EQ(rfc3339_utc(after_epoch(std::chrono::nanoseconds(-1))),
            "1969-12-31T23:59:59.999999999Z");
}

TEST(Clock, does_not_depend_on_the_time_zone) {
  const auto now = std::chrono::system_clock::now();
  ::setenv("TZ", "UTC0", 1);
  ::tzset();
  const std::string in_utc = rfc3339_utc(now);
  ::setenv("TZ", "XYZ-5:30", 1);
  ::tzset();
  EXPECT_EQ(rfc3339_utc(now), in_utc);
}

TEST(Clock, the_monotonic_clock_is_the_one_of_other_processes) {
  timespec before{};
  timespec after{};
  ::clock_gettime(CLOCK_MONOTONIC, &before);
  const std::uint64_t between = mono_ns();
  ::clock_gettime(CLOCK_MONOTONIC, &after);
  const auto ns = [](const timespec& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(time.tv_nsec);
  };
  EXPECT_LE(ns(before), between);
  EXPECT_LE(between, ns(after));
}

}  // namespace
}  // namespace bops
