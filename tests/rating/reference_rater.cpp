#include "tests/rating/reference_rater.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace bops::rating_cases {
namespace {

constexpr std::int64_t kHour = 3600;

std::int64_t seconds(RatingTime time) {
  return time / kNsPerSecond;
}

using Key = std::pair<std::string, std::string>;

struct Choice {
  std::vector<const RatingRecord*> counted;
  std::set<std::string> quarantined;
};

Key key_of(const RatingRecord& record) {
  return {record.key.source, record.key.id};
}

/// Everything but when it was received.
auto content(const RatingRecord& record) {
  return std::tuple(record.account.tenant, record.account.meter, record.start, record.end,
                    static_cast<std::int64_t>(record.quantity), record.reverses.has_value(),
                    record.reverses.value_or(UsageKey{}).source,
                    record.reverses.value_or(UsageKey{}).id);
}

std::int64_t received(const RatingRecord& record) {
  return seconds(record.received.value_or(record.end));
}

Choice choose(const Case& made) {
  Choice choice;
  using Content = decltype(content(std::declval<RatingRecord>()));
  std::map<Key, std::map<Content, const RatingRecord*>> by_key;  // the earliest copy of each
  std::set<Key> reversals;
  const auto quarantine = [&](const char* why, const RatingRecord& record) {
    choice.quarantined.insert(std::string(why) + ' ' + record.key.source + ' ' + record.key.id);
  };
  for (const RatingRecord& record : made.records) {
    if (made.policy.cutoff && received(record) > seconds(*made.policy.cutoff)) continue;
    const RatingRecord*& copy = by_key[key_of(record)][content(record)];
    if (copy == nullptr || received(record) < received(*copy)) copy = &record;
    if (record.reverses) reversals.insert(key_of(record));
  }
  std::vector<const RatingRecord*> valid;
  for (const auto& [key, copies] : by_key) {
    std::vector<const RatingRecord*> in_time;
    for (const auto& [what, copy] : copies) {
      if (received(*copy) - seconds(copy->end) > 35 * 24 * kHour)
        quarantine("late", *copy);
      else
        in_time.push_back(copy);
    }
    if (in_time.size() == 1) valid.push_back(in_time.front());
    if (in_time.size() > 1) quarantine("conflict", *in_time.front());
  }
  std::map<Key, const RatingRecord*> voided;
  for (const RatingRecord* record : valid) {
    if (!record->reverses) continue;
    const Key target{record->reverses->source, record->reverses->id};
    if (reversals.contains(target)) {
      quarantine("conflict", *record);
      continue;
    }
    const RatingRecord*& first = voided[target];
    const RatingRecord* second = record;
    if (first == nullptr || std::tuple(received(*second), key_of(*second)) <
                                std::tuple(received(*first), key_of(*first)))
      std::swap(first, second);
    if (second != nullptr) quarantine("conflict", *second);
  }
  for (const RatingRecord* record : valid)
    if (!record->reverses && !voided.contains(key_of(*record))) choice.counted.push_back(record);
  return choice;
}

std::int64_t share_until(const RatingRecord& record, std::int64_t second) {
  const std::int64_t start = seconds(record.start), end = seconds(record.end);
  const auto whole = static_cast<std::int64_t>(record.quantity);
  if (second >= end) return whole;
  if (second <= start) return 0;
  return whole * (second - start) / (end - start);
}

struct Sum {
  std::int64_t quantity = 0;
  BigRational amount;
};

using SumKey = std::tuple<std::int64_t, std::string, std::string, LineKind, std::string>;

std::string notation(std::int64_t hour, const std::string& tenant, const std::string& meter,
                     LineKind kind, const std::string& package, const std::string& quantity,
                     const std::string& amount) {
  std::string text = std::to_string(hour);
  for (const std::string& part :
       {tenant, meter, std::string(to_string(kind)), package, quantity, amount})
    text += ' ' + (part.empty() ? "-" : part);
  return text + '\n';
}

const Price& price_of(const Terms& terms, const std::string& meter) {
  for (const Price& price : terms.prices)
    if (price.meter == meter) return price;
  return terms.prices.front();
}

bool valid_at(const Package& package, std::int64_t second, Boundary boundary) {
  const std::int64_t from = seconds(package.effective), to = seconds(package.expires);
  if (boundary == Boundary::kExact) return from <= second && second < to;
  const std::int64_t hour = second - second % kHour;
  return std::max(from, hour) < std::min(to, hour + kHour);  // they have a second in common
}

}  // namespace

std::string reference_lines(const Case& made) {
  const Choice choice = choose(made);
  std::vector<Package> packages = made.terms.packages;
  std::ranges::sort(packages, {}, [](const Package& package) {
    return std::tuple(package.expires, package.effective, package.created, package.id);
  });
  std::map<std::string, std::int64_t> left;
  for (const Package& package : packages)
    left[package.id] = static_cast<std::int64_t>(package.quantity);

  std::int64_t last = 0;
  for (const RatingRecord* record : choice.counted) last = std::max(last, seconds(record->end) + 1);
  std::map<SumKey, Sum> sums;
  for (std::int64_t second = 0; second < last; ++second) {
    std::map<std::pair<std::string, std::string>, std::int64_t> used;
    for (const RatingRecord* record : choice.counted) {
      const bool instant = record->start == record->end;
      const std::int64_t share =
          instant
              ? (seconds(record->start) == second ? static_cast<std::int64_t>(record->quantity) : 0)
              : share_until(*record, second + 1) - share_until(*record, second);
      if (share != 0) used[{record->account.tenant, record->account.meter}] += share;
    }
    const std::int64_t hour = second - second % kHour;
    for (auto& [account, quantity] : used) {
      const auto& [tenant, meter] = account;
      for (const Package& package : packages) {
        if (package.tenant != tenant || package.meter != meter) continue;
        if (!valid_at(package, second, made.policy.boundary)) continue;
        const std::int64_t taken = std::min(quantity, left[package.id]);
        if (taken == 0) continue;
        left[package.id] -= taken;
        quantity -= taken;
        sums[{hour, tenant, meter, LineKind::kPackage, package.id}].quantity += taken;
      }
      if (quantity == 0) continue;
      Sum& sum = sums[{hour, tenant, meter, LineKind::kPayg, ""}];
      sum.quantity += quantity;
      sum.amount += price_of(made.terms, meter).per_unit * quantity;
    }
  }
  for (const Package& package : packages)
    if (made.policy.cutoff && package.expires <= *made.policy.cutoff && left[package.id] != 0)
      sums[{seconds(package.expires) - seconds(package.expires) % kHour, package.tenant,
            package.meter, LineKind::kLapse, package.id}]
          .quantity = left[package.id];
  std::string text;
  for (const auto& [key, sum] : sums) {
    const auto& [hour, tenant, meter, kind, package] = key;
    text += notation(hour, tenant, meter, kind, package, std::to_string(sum.quantity),
                     Decimal::rounded(sum.amount).text());
  }
  return text;
}

std::string lines_as_reference(const Lines& lines) {
  std::string text;
  for (const auto& [key, amounts] : lines)
    text += notation(seconds(key.hour), key.tenant, key.meter, key.kind, key.package,
                     amounts.quantity.text(), amounts.amount.text());
  return text;
}

std::string reference_quarantine(const Case& made) {
  std::string text;
  for (const std::string& each : choose(made).quarantined) text += each + '\n';
  return text;
}

}  // namespace bops::rating_cases
