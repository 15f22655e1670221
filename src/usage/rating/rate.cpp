#include "usage/rating/rate.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "usage/rating/hourly_use.hpp"

namespace bops {
namespace {

struct PackageState {
  const Package* package;
  Decimal left;
  Decimal used{};
  Decimal lapsed{};
};

/// The terms as far as they concern one account.
struct AccountTerms {
  std::vector<PackageState*> packages;  ///< in the order in which they are used up
  std::vector<const Price*> prices;
  std::string currency;
};

struct LineSum {
  BigInteger quantity;
  BigRational amount;
  Decimal deducted;
  std::string currency;
};

/// Packages that expire first are used up first.
bool used_up_before(const PackageState& left, const PackageState& right) {
  const auto order = [](const Package& package) {
    return std::tie(package.expires, package.effective, package.created, package.id);
  };
  return order(*left.package) < order(*right.package);
}

std::string name_of(const UseAccount& account) {
  std::string name = account.meter.empty() ? "use" : account.meter;
  if (!account.model.empty()) name += " of model " + account.model;
  return account.tenant.empty() ? name : name + " of tenant " + account.tenant;
}

class Rater {
 public:
  Rater(const SelectedUse& use, const Terms& terms, const RatingPolicy& policy)
      : use_(use), terms_(terms), policy_(policy) {
    states_.reserve(terms.packages.size());
    for (const Package& package : terms.packages)
      states_.push_back({&package, Decimal::of_integer(package.quantity)});
    std::ranges::sort(states_, used_up_before);
  }

  Result<Rating> rate();

 private:
  /// Why the account's use cannot be charged; empty if it can.
  [[nodiscard]] std::string unrated_reason(const UseAccount& account) const;
  void find_terms();
  /// Packages without a tenant are used up by all of them, in the order of time.
  [[nodiscard]] std::map<std::optional<std::string>, HourlyUse> sum_use();
  Result<void> rate_stretch(const StretchUse& stretch);
  void take_from_packages(const UseAccount& account, RatingTime time, BigInteger& quantity);
  Result<void> charge(const UseAccount& account, RatingTime time, const BigInteger& quantity);
  void lapse();
  void finish_lines();
  [[nodiscard]] bool is_valid(const Package& package, RatingTime time) const;
  LineSum& line(RatingTime time, const UseAccount& account, LineKind kind,
                const std::string& package);

  const SelectedUse& use_;
  const Terms& terms_;
  const RatingPolicy& policy_;
  std::vector<PackageState> states_;
  std::map<UseAccount, AccountTerms> account_terms_;
  std::map<LineKey, LineSum> sums_;
  Rating rating_;
};

std::string Rater::unrated_reason(const UseAccount& account) const {
  const auto& [packages, prices, currency] = account_terms_.at(account);
  if (packages.empty() && prices.empty()) return "neither a package nor a price is for it";
  if (!account.error_known && !policy_.charge_unknown_error)
    return "the error bound of these counts is not known";
  const bool kernel = account.integrity == UsageIntegrity::kKernel;
  if (!kernel &&
      std::ranges::any_of(prices, [](const Price* price) { return price->requires_kernel; }))
    return "the price list requires counts of integrity kernel";
  return {};
}

void Rater::find_terms() {
  for (const UseAccount& account : use_.accounts) {
    AccountTerms& terms = account_terms_[account];
    for (PackageState& state : states_)
      if (state.package->pays_for(account)) terms.packages.push_back(&state);
    terms.prices = terms_.prices_of(account);
    terms.currency = terms_.currency_of(account.tenant);
  }
}

std::map<std::optional<std::string>, HourlyUse> Rater::sum_use() {
  const bool pooled = std::ranges::any_of(
      terms_.packages, [](const Package& package) { return package.tenant.empty(); });
  std::vector<HourlyUse*> sums_of_account;
  std::map<std::optional<std::string>, HourlyUse> sums;
  std::vector<UnratedUse> unrated(use_.accounts.size());
  for (const UseAccount& account : use_.accounts) {
    const auto pool = pooled ? std::nullopt : std::optional(account.tenant);
    const std::string reason = unrated_reason(account);
    unrated[sums_of_account.size()] = {account, reason, 0, 0};
    const auto sum = sums.try_emplace(pool, TermChanges(terms_, pool, policy_.boundary)).first;
    sums_of_account.push_back(reason.empty() ? &sum->second : nullptr);
  }
  for (const CountedUse& use : use_.records) {
    if (HourlyUse* sum = sums_of_account[use.account]) {
      sum->add(use);
    } else {
      ++unrated[use.account].records;
      unrated[use.account].quantity += big_integer(use.quantity);
    }
  }
  std::ranges::sort(unrated, {}, &UnratedUse::account);
  for (UnratedUse& each : unrated)
    if (each.records != 0) rating_.unrated.push_back(std::move(each));
  return sums;
}

bool Rater::is_valid(const Package& package, RatingTime time) const {
  if (policy_.boundary == Boundary::kExact)
    return package.effective <= time && time < package.expires;
  return package.effective < rating_hour(time) + kNsPerHour && rating_hour(time) < package.expires;
}

LineSum& Rater::line(RatingTime time, const UseAccount& account, LineKind kind,
                     const std::string& package) {
  return sums_[{rating_hour(time), account.tenant, account.meter, kind, package}];
}

void Rater::take_from_packages(const UseAccount& account, RatingTime time, BigInteger& quantity) {
  const AccountTerms& terms = account_terms_.at(account);
  for (PackageState* state : terms.packages) {
    if (quantity.is_zero()) return;
    if (state->left.is_zero() || !is_valid(*state->package, time)) continue;
    const Decimal& ratio = state->package->ratio(account.model);
    const BigInteger taken = std::min(quantity, state->left.whole_parts(ratio));
    if (taken.is_zero()) continue;
    const Decimal deducted = ratio.times(taken);
    state->left -= deducted;
    state->used += deducted;
    quantity -= taken;
    LineSum& sum = line(time, account, LineKind::kPackage, state->package->id);
    sum.quantity += taken;
    sum.deducted += deducted;
    sum.currency = terms.currency;
  }
}

Result<void> Rater::charge(const UseAccount& account, RatingTime time, const BigInteger& quantity) {
  const AccountTerms& terms = account_terms_.at(account);
  const auto found =
      std::ranges::find_if(terms.prices, [&](const Price* price) { return price->holds_at(time); });
  if (found == terms.prices.end())
    return failure("there is no price for the " + quantity.str() + " units of " + name_of(account) +
                       " from " + time_text(time, terms_.form) + " that no package pays for",
                   "add a price for them to the price list");
  const Price* price = *found;
  if (price->currency != terms.currency)
    return failure(name_of(account) + " would be charged in " + price->currency +
                       ", other use of the tenant in " + terms.currency,
                   "nothing is converted: give the tenant prices in one currency");
  LineSum& sum = line(time, account, LineKind::kPayg, {});
  sum.quantity += quantity;
  sum.amount += price->per_unit * BigRational(quantity);
  sum.currency = price->currency;
  return {};
}

Result<void> Rater::rate_stretch(const StretchUse& stretch) {
  for (const auto& [account, used] : stretch.accounts) {
    BigInteger quantity = used;
    take_from_packages(*account, stretch.begin, quantity);
    if (quantity.is_zero()) continue;
    if (auto charged = charge(*account, stretch.begin, quantity); !charged) return charged;
  }
  return {};
}

void Rater::lapse() {
  for (PackageState& state : states_) {
    const Package& package = *state.package;
    if (!policy_.cutoff || package.expires > *policy_.cutoff || state.left.is_zero()) continue;
    state.lapsed = state.left;
    state.left = Decimal();
    rating_.lines[{rating_hour(package.expires), package.tenant, package.meter, LineKind::kLapse,
                   package.id}] = {state.lapsed, Decimal(), state.lapsed,
                                   terms_.currency_of(package.tenant)};
  }
}

void Rater::finish_lines() {
  for (const auto& [key, sum] : sums_)
    rating_.lines[key] = {Decimal::of_integer(sum.quantity), Decimal::rounded(sum.amount),
                          sum.deducted, sum.currency};
  for (const PackageState& state : states_)
    rating_.balances.push_back({state.package->id, Decimal::of_integer(state.package->quantity),
                                state.used, state.lapsed, state.left});
  std::ranges::sort(rating_.balances, {}, &PackageBalance::package);
}

Result<Rating> Rater::rate() {
  find_terms();
  for (const auto& [tenant, sums] : sum_use())
    for (const StretchUse& stretch : sums.stretches(use_.accounts))
      if (auto rated = rate_stretch(stretch); !rated) return tl::unexpected(rated.error());
  lapse();
  finish_lines();
  return std::move(rating_);
}

}  // namespace

Result<Rating> rate(const SelectedUse& use, const Terms& terms, const RatingPolicy& policy) {
  if (auto checked = check_terms(terms); !checked) return tl::unexpected(checked.error());
  return Rater(use, terms, policy).rate();
}

}  // namespace bops
