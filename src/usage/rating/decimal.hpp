// Numbers of a bill: decimals of ten places, and the exact fractions that are rounded to them once.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "model/error.hpp"

namespace bops {

/// Without expression templates: what an expression is, is a number.
using BigInteger = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>,
                                                 boost::multiprecision::et_off>;
using BigRational = boost::multiprecision::number<
    boost::multiprecision::rational_adaptor<boost::multiprecision::cpp_int_backend<>>,
    boost::multiprecision::et_off>;

/// A decimal number with ten places, of any size.
class Decimal {
 public:
  static constexpr unsigned kPlaces = 10;

  Decimal() = default;
  [[nodiscard]] static Decimal of_integer(const BigInteger& value);
  /// The nearest decimal; of two that are as near, the one whose last digit is even.
  [[nodiscard]] static Decimal rounded(const BigRational& value);
  /// As parse_fraction(). Fails if it needs more than ten places.
  [[nodiscard]] static Result<Decimal> parse(std::string_view text);

  /// Without an exponent, zeros at the end left out: "0", "-0.00004", "120".
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_zero() const { return units_.is_zero(); }
  [[nodiscard]] bool is_negative() const { return units_ < 0; }
  /// The number times 10^kPlaces.
  [[nodiscard]] const BigInteger& units() const { return units_; }
  /// How many times `part`, which is positive, goes into this number, which is not negative.
  [[nodiscard]] BigInteger whole_parts(const Decimal& part) const { return units_ / part.units_; }

  Decimal& operator+=(const Decimal& other) {
    units_ += other.units_;
    return *this;
  }
  Decimal& operator-=(const Decimal& other) {
    units_ -= other.units_;
    return *this;
  }
  friend Decimal operator+(Decimal left, const Decimal& right) { return left += right; }
  friend Decimal operator-(Decimal left, const Decimal& right) { return left -= right; }
  [[nodiscard]] Decimal times(const BigInteger& factor) const;
  friend bool operator==(const Decimal&, const Decimal&) = default;

 private:
  BigInteger units_;
};

/// The exact value of "0.002", "-3", "1250.75": digits and at most one point between digits, no
/// exponent, at most 60 characters.
[[nodiscard]] Result<BigRational> parse_fraction(std::string_view text);

/// The value of "0", "1000": digits only, at most 30.
[[nodiscard]] Result<BigInteger> parse_count(std::string_view text);

}  // namespace bops
