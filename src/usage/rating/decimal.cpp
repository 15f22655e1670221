#include "usage/rating/decimal.hpp"

#include <algorithm>

namespace bops {
namespace {

constexpr std::size_t kMaxFractionSize = 60;
constexpr std::size_t kMaxCountSize = 30;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

BigInteger power_of_ten(std::size_t exponent) {
  return boost::multiprecision::pow(BigInteger(10), static_cast<unsigned>(exponent));
}

/// Not BigInteger's own reading, to which a leading 0 means octal.
BigInteger integer_of(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits.empty() ? BigInteger(0) : BigInteger(std::string(digits));
}

const BigInteger& units_of_one() {
  static const BigInteger units = power_of_ten(Decimal::kPlaces);
  return units;
}

}  // namespace

Decimal Decimal::of_integer(const BigInteger& value) {
  Decimal decimal;
  decimal.units_ = value * units_of_one();
  return decimal;
}

Decimal Decimal::rounded(const BigRational& value) {
  const BigInteger numerator = boost::multiprecision::numerator(value) * units_of_one();
  const BigInteger denominator = boost::multiprecision::denominator(value);
  BigInteger quotient, remainder;
  boost::multiprecision::divide_qr(BigInteger(abs(numerator)), denominator, quotient, remainder);
  const BigInteger twice = remainder * 2;
  if (twice > denominator || (twice == denominator && bit_test(quotient, 0))) ++quotient;
  Decimal decimal;
  decimal.units_ = numerator < 0 ? BigInteger(-quotient) : quotient;
  return decimal;
}

Result<Decimal> Decimal::parse(std::string_view text) {
  const auto value = parse_fraction(text);
  if (!value) return tl::unexpected(value.error());
  Decimal decimal = rounded(*value);
  if (BigRational(decimal.units_, units_of_one()) != *value)
    return failure("\"" + std::string(text) + "\" has more than 10 decimals");
  return decimal;
}

std::string Decimal::text() const {
  std::string digits = BigInteger(abs(units_)).str();
  if (digits.size() <= kPlaces) digits.insert(0, kPlaces + 1 - digits.size(), '0');
  digits.insert(digits.size() - kPlaces, 1, '.');
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return (units_ < 0 ? "-" : "") + digits;
}

Decimal Decimal::times(const BigInteger& factor) const {
  Decimal product = *this;
  product.units_ *= factor;
  return product;
}

Result<BigRational> parse_fraction(std::string_view text) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  const std::size_t point = digits.find('.');
  const std::string_view whole = digits.substr(0, point);
  const std::string_view decimals =
      point == std::string_view::npos ? std::string_view() : digits.substr(point + 1);
  const bool well_formed = text.size() <= kMaxFractionSize && all_digits(whole) &&
                           (point == std::string_view::npos || all_digits(decimals));
  if (!well_formed)
    return failure("\"" + std::string(text.substr(0, 64)) + "\" is not a decimal number",
                   "write \"0.002\", for instance: digits with at most one point, no exponent");
  BigRational value(integer_of(std::string(whole) + std::string(decimals)),
                    power_of_ten(decimals.size()));
  return negative ? BigRational(-value) : value;
}

Result<BigInteger> parse_count(std::string_view text) {
  if (text.starts_with('-'))
    return failure("\"" + std::string(text.substr(0, 64)) + "\" is negative");
  if (text.size() > kMaxCountSize || !all_digits(text))
    return failure("\"" + std::string(text.substr(0, 64)) +
                   "\" is not an integer of at most 30 digits");
  return integer_of(text);
}

}  // namespace bops
