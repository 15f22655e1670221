// The usage model: what was used, as its user would say it, and what it took.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "usage/rating/rate.hpp"

namespace bops {

/// The indicators of one model of one tenant, in one run or one period. Amount of work, processing
/// rate and basic operations are of the same time.
struct UsageIndicators {
  std::string tenant;                      ///< empty: not said
  std::string model_type;                  ///< empty: not said
  std::string target_accuracy;             ///< in percent, as it was given; empty: not said
  std::uint64_t time_ns = 0;               ///< in which anything was used, overlaps once
  std::map<std::string, BigInteger> work;  ///< by unit: images, requests, tokens, ...
  std::optional<BigInteger> bops_formula;  ///< absent: not measured
  std::optional<BigInteger> bops_decoded;  ///< absent: not measured
  /// What it costs to pay as you go; absent where no price was given.
  std::optional<Decimal> cost;
  std::string currency;  ///< of `cost`
  /// False: the time is an emulator's, and rates per second mean nothing.
  bool time_is_the_targets = true;

  /// BOPS. Basic operations are those of the formula, decoded ones where only they are known.
  /// Absent where there was no time, or it is not the target's.
  [[nodiscard]] std::optional<double> bops_per_second() const;
  /// Units a second; tokens a minute.
  [[nodiscard]] std::optional<double> processing_rate(const std::string& unit) const;
  /// Basic operations for each unit of work.
  [[nodiscard]] std::optional<double> bops_per_unit(const std::string& unit) const;
  [[nodiscard]] std::optional<Decimal> cost_per_unit(const std::string& unit) const;
};

/// "tokens/min", "images/s"
[[nodiscard]] std::string processing_rate_unit(const std::string& unit);

/// The unit of work that a meter counts: "tokens", "images", "pages" of work_pages; empty for
/// meters of operations and time.
[[nodiscard]] std::string work_unit_of(const std::string& meter);

/// Rows by tenant and model. Of a record that is partly within [from, until) its share is taken.
/// Prices may be none. Fails as rate() does.
[[nodiscard]] Result<std::vector<UsageIndicators>> indicators(const SelectedUse& use,
                                                              const Terms& terms,
                                                              std::optional<RatingTime> from,
                                                              std::optional<RatingTime> until);

}  // namespace bops
