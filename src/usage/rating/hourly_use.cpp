#include "usage/rating/hourly_use.hpp"

#include <algorithm>
#include <functional>

namespace bops {
namespace {

/// Below it a product with a length in nanoseconds stays within 127 bits.
constexpr Quantity kSmallQuantity = Quantity{1} << 62U;

}  // namespace

TermChanges::TermChanges(const Terms& terms, const std::optional<std::string>& tenant,
                         Boundary boundary) {
  const auto concerns = [&](const std::string& whose) {
    return whose.empty() || !tenant || whose == *tenant;
  };
  if (boundary == Boundary::kExact)
    for (const Package& package : terms.packages)
      if (concerns(package.tenant))
        times_.insert(times_.end(), {package.effective, package.expires});
  for (const Price& price : terms.prices) {
    if (!concerns(price.tenant)) continue;
    for (const auto& time : {price.from, price.until})
      if (time) times_.push_back(*time);
  }
  std::ranges::sort(times_);
  times_.erase(std::unique(times_.begin(), times_.end()), times_.end());
}

TermChanges::Stretch TermChanges::stretch_at(RatingTime time) const {
  Stretch stretch{rating_hour(time), rating_hour(time) + kNsPerHour};
  const auto next = std::ranges::upper_bound(times_, time);
  if (next != times_.end()) stretch.end = std::min(stretch.end, *next);
  if (next != times_.begin()) stretch.begin = std::max(stretch.begin, *std::prev(next));
  return stretch;
}

Quantity used_before(RatingTime time, RatingTime start, RatingTime end, Quantity quantity) {
  if (time >= end) return quantity;
  if (time <= start) return 0;
  const Quantity passed = Quantity{time} - start, length = Quantity{end} - start;
  if (quantity <= kSmallQuantity) return quantity * passed / length;
  return BigInteger(BigInteger(quantity) * BigInteger(passed) / BigInteger(length))
      .convert_to<Quantity>();
}

void HourlyUse::add(const CountedUse& use) {
  TermChanges::Stretch stretch = changes_.stretch_at(use.start);
  Quantity before = 0;
  while (true) {
    const Quantity until = used_before(stretch.end, use.start, use.end, use.quantity);
    if (until != before) sums_[{stretch.begin, use.account}] += until - before;
    if (stretch.end >= use.end) return;
    before = until;
    stretch = changes_.stretch_at(stretch.end);
  }
}

std::size_t HourlyUse::PlaceHash::operator()(const Place& place) const {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15U;  // 2^64 over the golden ratio
  return std::hash<std::uint64_t>()(
      (static_cast<std::uint64_t>(place.begin) / static_cast<std::uint64_t>(kNsPerSecond) +
       place.account * std::uint64_t{7919}) *
      kOdd);
}

std::vector<StretchUse> HourlyUse::stretches(const std::vector<UseAccount>& accounts) const {
  std::vector<std::pair<Place, Quantity>> sorted(sums_.begin(), sums_.end());
  std::ranges::sort(sorted, [&](const auto& left, const auto& right) {
    if (left.first.begin != right.first.begin) return left.first.begin < right.first.begin;
    return accounts[left.first.account] < accounts[right.first.account];
  });
  std::vector<StretchUse> stretches;
  for (const auto& [place, quantity] : sorted) {
    if (stretches.empty() || stretches.back().begin != place.begin)
      stretches.push_back({place.begin, {}});
    stretches.back().accounts.emplace_back(&accounts[place.account], big_integer(quantity));
  }
  return stretches;
}

}  // namespace bops
