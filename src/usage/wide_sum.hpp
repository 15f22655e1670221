// Sums that do not overflow: an 8-GPU machine passes 2^63 operations within an hour.
#pragma once

#include <algorithm>
#include <string>

namespace bops {

using WideSum = unsigned __int128;

/// As decimal digits.
[[nodiscard]] inline std::string to_decimal(WideSum sum) {
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(sum % 10));
    sum /= 10;
  } while (sum != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace bops
