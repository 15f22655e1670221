// Input data, the same for the same seed on every machine and build.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/kernel.hpp"

namespace bops::workloads {

/// `problem.size` keys, 0 ... 2^31 - 1.
[[nodiscard]] std::vector<int> make_keys(const Problem& problem);

/// `count` numbers in [0.5, 1.5), evenly spread: sums stay well conditioned.
[[nodiscard]] std::vector<double> make_reals(std::int64_t count, std::uint64_t seed);

/// A number that two arrays share when they hold the same keys, in whatever order (and, but for
/// odds of about one in 2^64, only then).
class KeyMultiset {
 public:
  void add(int key);
  friend bool operator==(const KeyMultiset&, const KeyMultiset&) = default;

 private:
  std::uint64_t sum_ = 0;
};

/// Equal up to rounding: within 1e-9 of the larger magnitude.
[[nodiscard]] bool nearly_equal(double a, double b);

}  // namespace bops::workloads
