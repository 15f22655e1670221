#include "cli/durations.hpp"

#include <gtest/gtest.h>

namespace bops {
namespace {

using std::chrono::nanoseconds;

TEST(Durations, take_the_usual_units) {
  EXPECT_EQ(parse_duration("500ms"), nanoseconds(500'000'000));
  EXPECT_EQ(parse_duration("2s"), nanoseconds(2'000'000'000));
  EXPECT_EQ(parse_duration("1.5s"), nanoseconds(1'500'000'000));
  EXPECT_EQ(parse_duration("100us"), nanoseconds(100'000));
  EXPECT_EQ(parse_duration("1m"), nanoseconds(60'000'000'000));
  EXPECT_EQ(parse_duration("3"), nanoseconds(3'000'000'000)) << "a number alone is seconds";
}

TEST(Durations, refuse_nonsense) {
  for (const char* text :
       {"", "s", "-1s", "0", "0ms", "1x", "1 s", "nan", "inf", "1e30s", "99999h", "1s2s", "0x10"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

}  // namespace
}  // namespace bops
