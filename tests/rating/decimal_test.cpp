#include "usage/rating/decimal.hpp"

#include <gtest/gtest.h>

namespace bops {
namespace {

std::string rounded(const std::string& fraction) {
  return Decimal::rounded(parse_fraction(fraction).value()).text();
}

TEST(Decimal, is_rounded_to_ten_places_and_halves_to_the_even_digit) {
  EXPECT_EQ(rounded("0.00000000005"), "0");
  EXPECT_EQ(rounded("0.00000000015"), "0.0000000002");
  EXPECT_EQ(rounded("0.00000000025"), "0.0000000002");
  EXPECT_EQ(rounded("0.000000000250000000000000000001"), "0.0000000003");
  EXPECT_EQ(rounded("-0.00000000025"), "-0.0000000002");
  EXPECT_EQ(rounded("-0.00000000035"), "-0.0000000004");
  EXPECT_EQ(Decimal::rounded(BigRational(1, 3)).text(), "0.3333333333");
  EXPECT_EQ(Decimal::rounded(BigRational(-2, 3)).text(), "-0.6666666667");
}

TEST(Decimal, is_written_without_an_exponent_and_without_zeros_at_the_end) {
  for (const std::string text : {"0", "120", "-0.00004", "0.001", "1000000000000000000000000",
                                 "-7.5", "0.0000000001", "99999999999.9999999999"})
    EXPECT_EQ(Decimal::parse(text).value().text(), text);
  EXPECT_EQ(Decimal::parse("007.500").value().text(), "7.5") << "not octal";
  EXPECT_EQ(Decimal::parse("-0").value().text(), "0");
}

TEST(Decimal, refuses_what_is_not_exactly_a_decimal) {
  for (const std::string text : {"", "-", ".", "1.", ".5", "1e3", "+1", "1,5", " 1", "0x10", "nan",
                                 "--1", "1.2.3", "\xd9\xa1"})
    EXPECT_FALSE(parse_fraction(text)) << text;
  EXPECT_FALSE(parse_fraction(std::string(61, '1')));
  EXPECT_FALSE(Decimal::parse("0.00000000001")) << "an eleventh place";
  EXPECT_TRUE(Decimal::parse("0.10000000000")) << "which is zero";
}

TEST(Count, is_digits_only) {
  EXPECT_EQ(parse_count("00012").value(), 12);
  EXPECT_EQ(parse_count("999999999999999999999999999999").value().str(), std::string(30, '9'));
  for (const std::string text : {"", "-1", "1.0", "1e2", "+1", " 1"})
    EXPECT_FALSE(parse_count(text)) << text;
  EXPECT_FALSE(parse_count(std::string(31, '1')));
}

}  // namespace
}  // namespace bops
