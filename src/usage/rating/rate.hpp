// Rating: a pure function of records, packages, prices and policy.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "usage/rating/lines.hpp"
#include "usage/rating/selection.hpp"
#include "usage/rating/terms.hpp"

namespace bops {

/// How a package pays for the hour in which it is bought or expires.
enum class Boundary : std::uint8_t {
  kExact,  ///< for use while it is valid
  kHour,   ///< for all of the hour
};

struct RatingPolicy {
  Boundary boundary = Boundary::kExact;
  /// Records received, and packages that expired, up to and including this are looked at. Absent:
  /// all records, and nothing has lapsed yet.
  std::optional<RatingTime> cutoff;
  bool charge_unknown_error = false;  ///< also records whose error bound is not known
};

/// bought = used + lapsed + balance, in units of the package.
struct PackageBalance {
  std::string package;
  Decimal bought;
  Decimal used;
  Decimal lapsed;
  Decimal balance;
};

/// Use that is in no line, and why.
struct UnratedUse {
  UseAccount account;
  std::string reason;
  std::uint64_t records = 0;
  BigInteger quantity;
};

struct Rating {
  Lines lines;
  std::vector<PackageBalance> balances;  ///< in the order of the packages' ids
  std::vector<UnratedUse> unrated;
};

/// Fails if the terms contradict themselves, if use that is for sale has no price for what no
/// package pays for, and if a tenant would be charged in two currencies. Use that neither a package
/// nor a price names is unrated.
[[nodiscard]] Result<Rating> rate(const SelectedUse& use, const Terms& terms,
                                  const RatingPolicy& policy);

}  // namespace bops
