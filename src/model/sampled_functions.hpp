// Where the counted events happened, by samples of instruction addresses (`--sample`).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bops {

/// Samples of each event of the formula: instructions, loads, stores, branches.
using FormulaSamples = std::array<std::uint64_t, 4>;

/// What samples say of the formula: each stands for `period` events. Negative where a function's
/// samples happen to be more of loads, stores and branches than of instructions.
struct SampledEstimate {
  std::int64_t bops_formula = 0;
  /// One standard deviation; the report gives two of them (k = 2, about 95 %).
  double standard_error = 0;
  friend bool operator==(const SampledEstimate&, const SampledEstimate&) = default;
};

/// `all`: the samples of the whole run. Samples of an event fall into a function or not, so their
/// number is binomial, with a variance of n (1 - n / all); one more is for where in the period a
/// thread's samples begin. The four events are sampled apart, so their variances add up.
[[nodiscard]] SampledEstimate estimate_of(const FormulaSamples& samples, const FormulaSamples& all,
                                          std::uint64_t period);

/// One function, or what no function could be found for.
struct SampledFunction {
  std::string image;     ///< as ImageCounts::path
  std::string build_id;  ///< as ImageCounts::build_id
  std::string name;      ///< as FunctionCounts::name
  FormulaSamples samples{};
  SampledEstimate estimate;
  friend bool operator==(const SampledFunction&, const SampledFunction&) = default;

  /// Fewer samples of instructions than this say that the function was executed, and no more: their
  /// standard error alone is above a fifth of their number.
  static constexpr std::uint64_t kEnough = 25;
  [[nodiscard]] bool has_enough() const { return samples.front() >= kEnough; }
};

/// The samples of a run: an estimate, and no part of its counts.
struct SampledFunctions {
  std::uint64_t period = 0;  ///< events per sample, of each event and thread
  /// In descending order of their estimates. Threads that executed less than a period of an event
  /// have no sample of it, so functions of short threads may be missing.
  std::vector<SampledFunction> functions;
  std::uint64_t lost = 0;             ///< samples (and news of mappings) without room in a buffer
  std::uint64_t threads_without = 0;  ///< counted threads that could not be sampled
  /// Events whose samples are of a later instruction, by a few or by some tens (skid).
  std::vector<std::string> skidding;
  friend bool operator==(const SampledFunctions&, const SampledFunctions&) = default;

  [[nodiscard]] FormulaSamples all() const;
};

}  // namespace bops
