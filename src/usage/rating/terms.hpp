// What is agreed with tenants: prepaid packages and prices.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "usage/rating/rating_record.hpp"

namespace bops {

/// Usage paid in advance. Pays for use in [effective, expires) of its tenant, meter and models.
struct Package {
  std::string id;
  std::string tenant;               ///< empty: of every tenant
  std::string meter;                ///< empty: of every meter
  std::vector<std::string> models;  ///< empty: of every model
  BigInteger quantity;              ///< bought, in units of the package
  RatingTime effective = 0;
  RatingTime expires = 0;
  RatingTime created = 0;
  /// Units of the package that one unit of use takes, positive: by model, and of all other models.
  std::map<std::string, Decimal, std::less<>> ratios;
  Decimal ratio_of_others = Decimal::of_integer(1);
  std::optional<BigRational> cost;  ///< what it was bought for
  std::string currency;             ///< of `cost`

  [[nodiscard]] bool pays_for(const UseAccount& account) const;
  [[nodiscard]] const Decimal& ratio(std::string_view model) const;
};

/// What use costs that no package pays for.
struct Price {
  std::string tenant;  ///< empty: of every tenant that has none of its own
  std::string meter;   ///< likewise
  std::string model;   ///< likewise
  std::optional<RatingTime> from;
  std::optional<RatingTime> until;  ///< not included
  BigRational unit;                 ///< price, in the currency, ...
  BigInteger per = 1;               ///< ... of so many units of use
  BigRational per_unit;             ///< unit / per
  std::string currency;
  bool requires_kernel = false;  ///< counts that the metered program could write are not charged

  [[nodiscard]] bool is_for(const UseAccount& account) const;
  [[nodiscard]] bool holds_at(RatingTime time) const {
    return (!from || *from <= time) && (!until || time < *until);
  }
};

struct Terms {
  TimeForm form = TimeForm::kDated;  ///< in which messages write times
  std::vector<Package> packages;
  std::vector<Price> prices;

  /// The prices of the account's use, the one that names the tenant before one that names the meter
  /// before one that names the model: at any time the first that holds is the price.
  [[nodiscard]] std::vector<const Price*> prices_of(const UseAccount& account) const;
  /// That of the tenant's own prices, else that of the prices for every tenant; empty if there are
  /// none.
  [[nodiscard]] std::string currency_of(const std::string& tenant) const;
};

/// Refuses two packages of one id, prices of which two would hold for the same use, and two
/// currencies for one tenant.
[[nodiscard]] Result<void> check_terms(const Terms& terms);

}  // namespace bops
