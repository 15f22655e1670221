// A bench whose programs are a few lines of arithmetic, in which faults can be planted.
#pragma once

#include <functional>
#include <string>

#include "validate/bench.hpp"
#include "validate/rules.hpp"

namespace bops::validate {

/// Kernels of 100 comparisons per unit of size, of which the programs' formula makes exactly as
/// many BOPs, whatever the build: every error is 0 until something is planted.
struct FakeBench {
  bool counts_exactly = true;
  std::function<double(const std::string& kernel)> source_factor = [](const auto&) { return 1.0; };
  std::function<double(const std::string& kernel, const std::string& build)> formula_factor =
      [](const auto&, const auto&) { return 1.0; };
  double skewed_formula = 1.0;     ///< of the formula, for other distributions than uniform
  double skewed_loads = 3.0;       ///< per formula BOP, for the same
  double counter_factor = 1.0;     ///< of the collector's loads, against the exact engine's
  std::string not_as_closed_form;  ///< a kernel
  std::string wrong_result;        ///< a build
  std::string killed_build;

  [[nodiscard]] Bench bench(const Rules& rules) const;
};

/// The rules that are shipped.
[[nodiscard]] Rules shipped_rules();

}  // namespace bops::validate
