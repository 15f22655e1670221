// Use summed over stretches of time in which the same terms hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "usage/rating/rate.hpp"

namespace bops {

/// Times at which the terms of a tenant change.
class TermChanges {
 public:
  /// Of all tenants without one.
  TermChanges(const Terms& terms, const std::optional<std::string>& tenant, Boundary boundary);
  /// The stretch without a change, within one hour, that `time` lies in.
  struct Stretch {
    RatingTime begin;
    RatingTime end;
  };
  [[nodiscard]] Stretch stretch_at(RatingTime time) const;

 private:
  std::vector<RatingTime> times_;
};

/// What was used of each account in one stretch.
struct StretchUse {
  RatingTime begin = 0;
  std::vector<std::pair<const UseAccount*, BigInteger>> accounts;  ///< in their order
};

/// Sums records, each divided at the ends of stretches by cumulative floor: up to each the part of
/// the quantity that the time is of the whole, rounded down, so that the pieces sum to the whole.
class HourlyUse {
 public:
  explicit HourlyUse(TermChanges changes) : changes_(std::move(changes)) {}

  void add(const CountedUse& use);
  /// In the order of time.
  [[nodiscard]] std::vector<StretchUse> stretches(const std::vector<UseAccount>& accounts) const;

 private:
  struct Place {
    RatingTime begin;
    std::uint32_t account;
    friend bool operator==(const Place&, const Place&) = default;
  };
  struct PlaceHash {
    std::size_t operator()(const Place& place) const;
  };
  TermChanges changes_;
  std::unordered_map<Place, Quantity, PlaceHash> sums_;
};

/// How much of `quantity`, used evenly in [start, end), was used before `time`, rounded down.
[[nodiscard]] Quantity used_before(RatingTime time, RatingTime start, RatingTime end,
                                   Quantity quantity);

}  // namespace bops
