// Operations as the programmer wrote them, per category, and what each category weighs under the
// source rules (README.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bops::workloads {

enum class Category : std::uint8_t {
  kIntegerArithmetic,
  kLogic,        ///< bitwise operations and shifts
  kCompare,      ///< of integers and pointers; of floating-point numbers: kFloatingPoint
  kLoopStep,     ///< the step of a loop's index
  kLoopCompare,  ///< the test of a loop's index or pointer
  kSubscript1d,  ///< a[i]
  kSubscript2d,  ///< a[i][j], both subscripts together
  kPointerStep,  ///< ++p, p += n, p + n, p - q
  kShortCircuit,
  kFloatingPoint,
};

enum class OperationClass : std::uint8_t { kInteger, kFloatingPoint, kAddress };

struct CategoryRule {
  std::string_view name;  ///< as in the JSON output
  std::uint64_t weight;   ///< operations per occurrence
  OperationClass operation_class;
};

/// In the order of Category.
inline constexpr std::array<CategoryRule, 10> kSourceRules = {{
    {"integer_arithmetic", 1, OperationClass::kInteger},
    {"logic", 1, OperationClass::kInteger},
    {"compare", 1, OperationClass::kInteger},
    {"loop_step", 1, OperationClass::kInteger},
    {"loop_compare", 1, OperationClass::kInteger},
    {"subscript_1d", 1, OperationClass::kAddress},
    {"subscript_2d", 2, OperationClass::kAddress},
    {"pointer_step", 1, OperationClass::kAddress},
    {"short_circuit", 0, OperationClass::kInteger},
    {"floating_point", 1, OperationClass::kFloatingPoint},
}};

/// How often each category occurred.
struct Tallies {
  std::array<std::uint64_t, kSourceRules.size()> counts{};

  constexpr std::uint64_t& operator[](Category category) {
    return counts[static_cast<std::size_t>(category)];
  }
  constexpr std::uint64_t operator[](Category category) const {
    return counts[static_cast<std::size_t>(category)];
  }
  constexpr Tallies& operator+=(const Tallies& other) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    return *this;
  }
  [[nodiscard]] constexpr Tallies times(std::uint64_t times) const {
    Tallies product = *this;
    for (std::uint64_t& count : product.counts) count *= times;
    return product;
  }
  friend constexpr bool operator==(const Tallies&, const Tallies&) = default;
};

/// Source BOPs.
struct SourceOperations {
  std::uint64_t integer = 0;
  std::uint64_t floating_point = 0;
  std::uint64_t address = 0;

  [[nodiscard]] constexpr std::uint64_t total() const { return integer + floating_point + address; }
};

/// The tallies under the weights of kSourceRules.
[[nodiscard]] constexpr SourceOperations source_operations(const Tallies& tallies) {
  SourceOperations sum;
  for (std::size_t i = 0; i < kSourceRules.size(); ++i) {
    const std::uint64_t operations = tallies.counts[i] * kSourceRules[i].weight;
    switch (kSourceRules[i].operation_class) {
      case OperationClass::kInteger: sum.integer += operations; break;
      case OperationClass::kFloatingPoint: sum.floating_point += operations; break;
      case OperationClass::kAddress: sum.address += operations; break;
    }
  }
  return sum;
}

}  // namespace bops::workloads
