// The four instruction counts that the formula is made of.
#pragma once

#include <cstdint>

namespace bops {

/// Counts of executed instructions, unit: instructions of one thread, process or run. The unit in
/// the strict sense (retired instructions, micro-ops, ...) is the collector's, see CollectorInfo.
/// Loads, stores and branches overlap: `call [m]` is in all three (counting.md).
struct InstructionCounts {
  std::uint64_t total = 0;
  std::uint64_t loads = 0;
  std::uint64_t stores = 0;
  std::uint64_t branches = 0;

  constexpr InstructionCounts& operator+=(const InstructionCounts& other) {
    total += other.total;
    loads += other.loads;
    stores += other.stores;
    branches += other.branches;
    return *this;
  }
  /// The caller guarantees that `other` is an earlier state of the same counters.
  constexpr InstructionCounts& operator-=(const InstructionCounts& other) {
    total -= other.total;
    loads -= other.loads;
    stores -= other.stores;
    branches -= other.branches;
    return *this;
  }
  /// These counts, executed `times` times over.
  [[nodiscard]] constexpr InstructionCounts times(std::uint64_t times) const {
    return {total * times, loads * times, stores * times, branches * times};
  }
  friend constexpr bool operator==(const InstructionCounts&, const InstructionCounts&) = default;
};

}  // namespace bops
