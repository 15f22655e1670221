#include "usage/rating/indicators.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "usage/rating/hourly_use.hpp"

namespace bops {
namespace {

constexpr double kSecondsPerMinute = 60;

/// Stretches of time, each nanosecond once.
class CoveredTime {
 public:
  void add(RatingTime begin, RatingTime end) {
    if (end <= begin) return;
    stretches_.emplace_back(begin, end);
    if (stretches_.size() >= limit_) merge();
  }
  [[nodiscard]] std::uint64_t length() {
    merge();
    std::uint64_t sum = 0;
    for (const auto& [begin, end] : stretches_) sum += static_cast<std::uint64_t>(end - begin);
    return sum;
  }

 private:
  void merge() {
    std::ranges::sort(stretches_);
    std::vector<std::pair<RatingTime, RatingTime>> merged;
    for (const auto& [begin, end] : stretches_) {
      if (merged.empty() || merged.back().second < begin)
        merged.emplace_back(begin, end);
      else
        merged.back().second = std::max(merged.back().second, end);
    }
    stretches_ = std::move(merged);
    limit_ = stretches_.size() * 2 + kAtOnce;
  }

  static constexpr std::size_t kAtOnce = 4096;
  std::vector<std::pair<RatingTime, RatingTime>> stretches_;
  std::size_t limit_ = kAtOnce;
};

using RowKey = std::tuple<std::string, std::string, std::string>;

RowKey row_of(const UseAccount& account) {
  return {account.tenant, account.model, account.target_accuracy};
}

/// The part of a record in [from, until).
CountedUse part_of(const CountedUse& use, std::optional<RatingTime> from,
                   std::optional<RatingTime> until) {
  CountedUse part = use;
  part.start = std::max(use.start, from.value_or(use.start));
  part.end = std::min(use.end, until.value_or(use.end));
  const bool instant = use.start == use.end;
  const bool none = instant ? (from && use.start < *from) || (until && use.start >= *until)
                            : part.end <= part.start;
  if (none) return {use.account, part.start, part.start, 0};
  if (!instant)
    part.quantity = used_before(part.end, use.start, use.end, use.quantity) -
                    used_before(part.start, use.start, use.end, use.quantity);
  return part;
}

/// What the use costs by the prices alone.
Result<void> add_cost(const SelectedUse& use, const Terms& prices, UsageIndicators& row) {
  if (prices.prices.empty()) return {};
  RatingPolicy policy;
  policy.charge_unknown_error = true;
  const auto rating = rate(use, prices, policy);
  if (!rating) return tl::unexpected(rating.error());
  for (const auto& [line, amounts] : rating->lines) {
    row.cost = row.cost.value_or(Decimal()) + amounts.amount;
    row.currency = amounts.currency;
  }
  return {};
}

double number(const BigInteger& value) {
  return value.convert_to<double>();
}

}  // namespace

std::string processing_rate_unit(const std::string& unit) {
  return unit + (unit.starts_with("tokens") ? "/min" : "/s");
}

std::string work_unit_of(const std::string& meter) {
  constexpr std::string_view kOwn = "work_";
  if (meter.starts_with(kOwn)) return meter.substr(kOwn.size());
  const bool counted = meter == "images" || meter == "requests" || meter.starts_with("tokens");
  return counted ? meter : std::string();
}

std::optional<double> UsageIndicators::bops_per_second() const {
  const auto& operations = bops_formula ? bops_formula : bops_decoded;
  if (!operations || time_ns == 0 || !time_is_the_targets) return std::nullopt;
  return number(*operations) / (static_cast<double>(time_ns) / kNsPerSecond);
}

std::optional<double> UsageIndicators::processing_rate(const std::string& unit) const {
  const auto found = work.find(unit);
  if (found == work.end() || time_ns == 0 || !time_is_the_targets) return std::nullopt;
  const double per_second = number(found->second) / (static_cast<double>(time_ns) / kNsPerSecond);
  return unit.starts_with("tokens") ? per_second * kSecondsPerMinute : per_second;
}

std::optional<double> UsageIndicators::bops_per_unit(const std::string& unit) const {
  const auto& operations = bops_formula ? bops_formula : bops_decoded;
  const auto found = work.find(unit);
  if (!operations || found == work.end() || found->second.is_zero()) return std::nullopt;
  return number(*operations) / number(found->second);
}

std::optional<Decimal> UsageIndicators::cost_per_unit(const std::string& unit) const {
  const auto found = work.find(unit);
  if (!cost || found == work.end() || found->second.is_zero()) return std::nullopt;
  return Decimal::rounded(
      BigRational(cost->units(), found->second * Decimal::of_integer(1).units()));
}

Result<std::vector<UsageIndicators>> indicators(const SelectedUse& use, const Terms& terms,
                                                std::optional<RatingTime> from,
                                                std::optional<RatingTime> until) {
  std::map<RowKey, UsageIndicators> rows;
  std::map<RowKey, CoveredTime> times;
  std::map<RowKey, SelectedUse> parts;
  const auto add = [](std::optional<BigInteger>& sum, const BigInteger& quantity) {
    sum = sum.value_or(BigInteger(0)) + quantity;
  };
  for (const CountedUse& each : use.records) {
    const CountedUse part = part_of(each, from, until);
    const bool outside = part.start == part.end && each.start != each.end;
    if (outside || (each.start == each.end && part.quantity == 0)) continue;
    const UseAccount& account = use.accounts[each.account];
    const RowKey key = row_of(account);
    UsageIndicators& row = rows[key];
    std::tie(row.tenant, row.model_type, row.target_accuracy) = key;
    times[key].add(part.start, part.end);
    const BigInteger quantity = big_integer(part.quantity);
    if (account.meter == "bops_formula") add(row.bops_formula, quantity);
    if (account.meter == "bops_decoded") add(row.bops_decoded, quantity);
    if (const std::string unit = work_unit_of(account.meter); !unit.empty())
      row.work[unit] += quantity;
    parts[key].records.push_back(part);
  }
  Terms prices = terms;
  prices.packages.clear();
  std::vector<UsageIndicators> all;
  for (auto& [key, row] : rows) {
    row.time_ns = times[key].length();
    SelectedUse& of_row = parts[key];
    of_row.accounts = use.accounts;
    if (auto cost = add_cost(of_row, prices, row); !cost) return tl::unexpected(cost.error());
    of_row = {};
    all.push_back(std::move(row));
  }
  return all;
}

}  // namespace bops
