#include "usage/utc_time.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace bops {
namespace {

TEST(UtcTime, is_read_to_the_nanosecond) {
  EXPECT_EQ(*parse_utc("1970-01-01T00:00:00Z"), UtcNs{0});
  EXPECT_EQ(*parse_utc("1970-01-01T00:00:00.000000001Z"), UtcNs{1});
  EXPECT_EQ(*parse_utc("1970-01-01T01:00:00.5Z"), kNsPerHour + kNsPerSecond / 2);
  EXPECT_EQ(*parse_utc("2024-02-29T23:59:59.999999999Z"),
            1'709'251'199 * kNsPerSecond + 999'999'999);
  EXPECT_EQ(*parse_utc("2026-11-22T19:00:00+00:00"), *parse_utc("2026-11-22t19:00:00z"));
}

TEST(UtcTime, that_is_no_time_in_utc_is_refused) {
  for (const char* wrong : {"",
                            "2026-11-22",
                            "2026-11-22T19:00:00",
                            "2026-11-22T19:00:00+01:00",
                            "2026-11-22 19:00:00Z",
                            "2026-02-29T00:00:00Z",
                            "2026-13-01T00:00:00Z",
                            "2026-00-01T00:00:00Z",
                            "2026-01-00T00:00:00Z",
                            "2026-11-22T24:00:00Z",
                            "2026-11-22T19:60:00Z",
                            "2026-11-22T19:00:60Z",
                            "2026-11-22T19:00:00.Z",
                            "2026-11-22T19:00:00.1234567890Z",
                            "1969-12-31T23:59:59Z",
                            "2262-01-01T00:00:00Z",
                            "9999-01-01T00:00:00Z",
                            "-026-11-22T19:00:00Z",
                            "2026-11-22T19:00:00Zjunk",
                            " 2026-11-22T19:00:00Z"})
    EXPECT_FALSE(parse_utc(wrong)) << wrong;
}

TEST(UtcTime, written_is_read_as_the_same) {
  for (UtcNs time :
       {UtcNs{0}, UtcNs{1}, kNsPerHour - 1, kNsPerHour, UtcNs{1'763'838'000'123'456'789},
        *parse_utc("2261-12-31T23:59:59.999999999Z")})
    EXPECT_EQ(*parse_utc(format_utc(time)), time);
}

TEST(UtcTime, lies_in_the_hour_that_it_does_not_precede) {
  const UtcNs hour = *parse_utc("2026-11-22T19:00:00Z");
  EXPECT_EQ(hour_of(hour), hour);
  EXPECT_EQ(hour_of(hour + kNsPerHour - 1), hour);
  EXPECT_EQ(hour_of(hour - 1), hour - kNsPerHour);
}

}  // namespace
}  // namespace bops
