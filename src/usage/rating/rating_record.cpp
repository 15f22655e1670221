#include "usage/rating/rating_record.hpp"

namespace bops {

Result<Quantity> quantity_of(const BigInteger& value) {
  static const BigInteger largest = boost::multiprecision::pow(BigInteger(10), 30);
  if (value < 0) return failure("the quantity is negative");
  if (value > largest) return failure("the quantity is over 10^30");
  return value.convert_to<Quantity>();
}

BigInteger big_integer(Quantity value) {
  return BigInteger(value);
}

}  // namespace bops
