// What a kernel is: a small program with a known amount of work, which checks its own result. The
// measured programs are made of this and nothing of the measurer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "workloads/tallies.hpp"

namespace bops::workloads {

/// How the kernel walks through its data: `*p`, `++p`; or `a[i]`.
enum class Style : std::uint8_t { kPointer, kIndex };

/// How the keys of sorting and counting kernels are spread.
enum class Distribution : std::uint8_t { kUniform, kSorted, kReversed, kFewValues, kEqual, kBell };

/// What one instance works on. Equal problems have equal data, hence equal work.
struct Problem {
  std::int64_t size = 0;  ///< in the kernel's unit: keys, elements, matrix rows
  std::uint64_t seed = 1;
  Distribution distribution = Distribution::kUniform;
};

/// Where an instance keeps its result, so that a test can damage it.
struct ResultMemory {
  std::byte* data;
  std::size_t elements;
  std::size_t element_bytes;
};

/// One kernel with its own data. The constructor makes the input; then any number of rounds of
/// restore() and run(); check() judges the last round.
class Instance {
 public:
  Instance() = default;
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  virtual ~Instance() = default;

  /// Puts the data back to what the constructor made.
  virtual void restore() = 0;
  /// Calls the kernel functions, once, and does nothing else.
  virtual void run() = 0;
  /// Is the result right? Looks at all of it.
  [[nodiscard]] virtual bool check() const = 0;
  [[nodiscard]] virtual ResultMemory result() = 0;
};

/// What a kernel says of itself: a row of the table.
struct Kernel {
  std::string_view name;       ///< as on the command line
  std::string_view title;      ///< one line for people
  std::string_view size_unit;  ///< what --size counts
  std::int64_t default_size = 0;
  std::int64_t minimum_size = 1;
  std::int64_t maximum_size = 0;
  std::int64_t size_multiple = 1;  ///< the size must be a multiple of it
  /// The largest size with another distribution than uniform, where quicksort recurses as deep as
  /// there are keys; 0: the kernel has no distribution.
  std::int64_t maximum_skewed_size = 0;
  /// Null where this build does not hold the style.
  std::unique_ptr<Instance> (*make)(Style style, const Problem& problem) = nullptr;
  /// What one run() tallies, in closed form; null where it depends on the data.
  Tallies (*expected)(Style style, std::int64_t size) = nullptr;
};

}  // namespace bops::workloads
