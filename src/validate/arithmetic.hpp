// The arithmetic of errors: of a formula against a source count, and its spread over seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "model/error.hpp"
#include "model/instruction_counts.hpp"
#include "model/run_counts.hpp"

namespace bops::validate {

/// Relative errors: 0.08 is 8 percent too high.
struct ErrorSplit {
  double total = 0;               ///< this collector's formula against the source count
  std::optional<double> model;    ///< exact formula against the source count; absent without engine
  std::optional<double> counter;  ///< what this collector adds to it: total = model + counter
  /// (total + loads + stores + branches) / |formula|: if each count is wrong by at most e, then the
  /// formula is wrong by at most this times e. Absent where the formula is 0.
  std::optional<double> amplification;
  std::optional<double> largest_count_error;  ///< of the four counts, against the exact engine
};

/// `source` is positive. Amplification is taken from the exact counts where there are any.
[[nodiscard]] ErrorSplit split_error(const InstructionCounts& counted,
                                     const std::optional<InstructionCounts>& exact,
                                     std::uint64_t source);

[[nodiscard]] std::optional<double> amplification(const InstructionCounts& counts);

/// value / reference - 1.
[[nodiscard]] double relative_error(std::int64_t value, std::uint64_t reference);

struct Interval {
  double mean = 0;
  /// Half the width of the 95 % confidence interval of the mean (Student's t); absent for one
  /// value.
  std::optional<double> half_width;
};

/// Of at least one value.
[[nodiscard]] Interval confidence_interval(std::span<const double> values);

/// The counts of a kernel alone.
struct KernelCounts {
  InstructionCounts instructions;
  std::optional<std::uint64_t> decoded;  ///< operations; absent where the collector decodes nothing
};

/// Of a run with the kernel, less those of the same run without it. Fails if a count of the run
/// without is larger.
[[nodiscard]] Result<KernelCounts> difference(const Counts& with_kernel,
                                              const Counts& without_kernel);

}  // namespace bops::validate
