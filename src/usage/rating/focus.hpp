// A rating as rows of FOCUS 1.2, the open specification of billing data (focus.finops.org).
#pragma once

#include <optional>
#include <string>

#include "usage/rating/rate.hpp"

namespace bops {

struct FocusOptions {
  std::string provider = "bops";  ///< who provides, publishes and invoices
  bool is_difference = false;     ///< the lines are what must be added to others
  /// Of a difference: months that ended by then are invoiced. Absent: all.
  std::optional<RatingTime> invoiced_until;
  std::optional<RatingTime>
      cutoff;  ///< when the rating was made; corrections are billed in its month
};

/// RFC 4180 with a header; lines end in CR LF; a cell without a value is empty. All mandatory
/// columns, and those of commitments and of measured use; tenants are billing accounts.
///
/// Use that a package pays for is Usage with a BilledCost of 0, whose EffectiveCost is its part of
/// what the package cost; what lapsed is Usage with the CommitmentDiscountStatus Unused. Each
/// package is a row Purchase, but in a difference. Differences in months that are invoiced are
/// Corrections. Unit prices of lines over which the price changed are their mean.
[[nodiscard]] std::string focus_csv(const Rating& rating, const Terms& terms,
                                    const FocusOptions& options);

}  // namespace bops
