#include "validate/arithmetic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>

#include "model/bops.hpp"

namespace bops::validate {
namespace {

/// Quantiles 0.975 of Student's t for 1 ... 30 degrees of freedom (NIST/SEMATECH e-Handbook of
/// Statistical Methods, 1.3.6.7.2).
constexpr std::array<double, 30> kStudent = {
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
/// Above 30 degrees of freedom: that of 30, which is a little too wide, never too narrow.
double student(std::size_t degrees) {
  return kStudent[std::min(degrees, kStudent.size()) - 1];
}

double count_error(std::uint64_t counted, std::uint64_t exact) {
  if (counted == exact) return 0;
  const auto deviation = static_cast<double>(static_cast<std::int64_t>(counted - exact));
  return std::fabs(deviation) / static_cast<double>(std::max<std::uint64_t>(exact, 1));
}

bool contains(const InstructionCounts& a, const InstructionCounts& b) {
  return a.total >= b.total && a.loads >= b.loads && a.stores >= b.stores &&
         a.branches >= b.branches;
}

}  // namespace

double relative_error(std::int64_t value, std::uint64_t reference) {
  const std::int64_t deviation = value - static_cast<std::int64_t>(reference);
  return static_cast<double>(deviation) / static_cast<double>(reference);
}

std::optional<double> amplification(const InstructionCounts& counts) {
  const std::int64_t formula = bops_formula(counts);
  if (formula == 0) return std::nullopt;
  return static_cast<double>(counts.total + counts.loads + counts.stores + counts.branches) /
         static_cast<double>(std::abs(formula));
}

ErrorSplit split_error(const InstructionCounts& counted,
                       const std::optional<InstructionCounts>& exact, std::uint64_t source) {
  ErrorSplit split;
  split.total = relative_error(bops_formula(counted), source);
  split.amplification = amplification(exact.value_or(counted));
  if (!exact) return split;
  const std::int64_t miscounted = bops_formula(counted) - bops_formula(*exact);
  split.model = relative_error(bops_formula(*exact), source);
  split.counter = static_cast<double>(miscounted) / static_cast<double>(source);
  split.largest_count_error = std::max(
      {count_error(counted.total, exact->total), count_error(counted.loads, exact->loads),
       count_error(counted.stores, exact->stores), count_error(counted.branches, exact->branches)});
  return split;
}

Interval confidence_interval(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  Interval interval;
  for (const double value : values) interval.mean += value / n;
  if (values.size() < 2) return interval;
  double squares = 0;
  for (const double value : values) squares += (value - interval.mean) * (value - interval.mean);
  interval.half_width = student(values.size() - 1) * std::sqrt(squares / (n - 1) / n);
  return interval;
}

Result<KernelCounts> difference(const Counts& with_kernel, const Counts& without_kernel) {
  const Error larger{"the run without the kernel counted more than the run with it",
                     "measure a larger size: --size", FailureKind::kRefused};
  KernelCounts kernel{with_kernel.instructions, std::nullopt};
  if (!contains(kernel.instructions, without_kernel.instructions)) return tl::unexpected(larger);
  kernel.instructions -= without_kernel.instructions;
  if (!with_kernel.operations || !without_kernel.operations) return kernel;
  // Not class by class: one that the kernel does not use is all noise of the threads around it.
  const std::uint64_t with = with_kernel.operations->total();
  const std::uint64_t without = without_kernel.operations->total();
  if (with < without) return tl::unexpected(larger);
  kernel.decoded = with - without;
  return kernel;
}

}  // namespace bops::validate
