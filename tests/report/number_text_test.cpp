#include "report/number_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

namespace bops {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

TEST(NumberText, groups_by_thousands_at_the_edges) {
  EXPECT_EQ(grouped(std::uint64_t{0}), "0");
  EXPECT_EQ(grouped(std::uint64_t{999}), "999");
  EXPECT_EQ(grouped(std::uint64_t{1000}), "1,000");
  EXPECT_EQ(grouped(std::uint64_t{999999}), "999,999");
  EXPECT_EQ(grouped(std::uint64_t{1000000}), "1,000,000");
  EXPECT_EQ(grouped(kMost), "18,446,744,073,709,551,615");
}

TEST(NumberText, groups_negative_numbers_without_a_separator_after_the_sign) {
  EXPECT_EQ(grouped(std::int64_t{-1}), "-1");
  EXPECT_EQ(grouped(std::int64_t{-999}), "-999");
  EXPECT_EQ(grouped(std::int64_t{-1000}), "-1,000");
  EXPECT_EQ(grouped(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(NumberText, grouping_adds_nothing_but_separators) {
  for (std::uint64_t value = 1; value < kMost / 7; value *= 7) {
    std::string digits = grouped(value);
    digits.erase(std::remove(digits.begin(), digits.end(), ','), digits.end());
    EXPECT_EQ(digits, std::to_string(value));
  }
}

TEST(NumberText, prefixes_never_show_four_digits_before_the_point) {
  EXPECT_EQ(with_prefix(0, "BOP"), "0 BOP");
  EXPECT_EQ(with_prefix(999, "BOP"), "999 BOP");
  EXPECT_EQ(with_prefix(1000, "BOP"), "1.00 kBOP");
  EXPECT_EQ(with_prefix(999'994, "BOP"), "999.99 kBOP");
  EXPECT_EQ(with_prefix(999'996, "BOP"), "1.00 MBOP");
  EXPECT_EQ(with_prefix(12'345'678'901, "BOP"), "12.35 GBOP");
  EXPECT_EQ(with_prefix(-1500, "BOP/s"), "-1.50 kBOP/s");
  EXPECT_EQ(with_prefix(static_cast<double>(kMost), "BOP"), "18.45 EBOP");
}

TEST(NumberText, a_share_of_nothing_is_no_number) {
  EXPECT_EQ(percent(0, 0), "-");
  EXPECT_EQ(percent(1, 8), "12.5 %");
  EXPECT_EQ(per_part(1, 0), "-");
  EXPECT_EQ(per_part(12'345'678, 10), "1,234,567.8");
  EXPECT_EQ(per_part(-1'234, 1), "-1,234.0");
  EXPECT_EQ(percent(-3, 4), "-75.0 %");
}

TEST(NumberText, durations_and_sizes_carry_their_unit) {
  EXPECT_EQ(duration_text(0), "0 ns");
  EXPECT_EQ(duration_text(999), "999 ns");
  EXPECT_EQ(duration_text(1'500), "1.500 us");
  EXPECT_EQ(duration_text(12'300'000), "12.300 ms");
  EXPECT_EQ(duration_text(1'234'567'890), "1.235 s");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(bytes_text(12'902'400), "12.3 MiB");
}

TEST(NumberText, rounds_means_to_whole_numbers) {
  EXPECT_EQ(grouped_rounded(1234.4), "1,234");
  EXPECT_EQ(grouped_rounded(-1234.6), "-1,235");
}

}  // namespace
}  // namespace bops
