// The published totals, beside estimates of the nearest plausible problems.
#pragma once

#include <vector>

#include "validate/validation.hpp"

namespace bops::validate {

/// Extrapolates the source operations of each row from the points that were measured of its kernel
/// and build: in proportion to its growth. For n log n, from two sizes (a n ln n + b n). A row
/// whose kernel or build was not measured is left out.
[[nodiscard]] Result<std::vector<PaperEstimate>> estimate_paper_scale(
    const Rules& rules, const Plan& plan, const Measurements& measurements);

}  // namespace bops::validate
