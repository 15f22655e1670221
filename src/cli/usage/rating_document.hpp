// A rating as people read it.
#pragma once

#include "report/document.hpp"
#include "usage/rating/rate.hpp"

namespace bops {

/// The lines, what each tenant's amounts sum to (not rounded to what the currency has coins for:
/// that is an invoice's), and what is left of the packages.
[[nodiscard]] Document describe(const Rating& rating, TimeForm form, bool is_difference);

}  // namespace bops
