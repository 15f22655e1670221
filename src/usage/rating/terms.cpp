#include "usage/rating/terms.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace bops {
namespace {

bool is_or_any(const std::string& wanted, const std::string& actual) {
  return wanted.empty() || wanted == actual;
}

/// The more it names, the rather it holds; the tenant before all.
auto precedence(const Price& price) {
  return std::tuple(!price.tenant.empty(), !price.meter.empty(), !price.model.empty());
}

bool overlap(const Price& left, const Price& right) {
  const bool left_ends_first = left.until && right.from && *left.until <= *right.from;
  const bool right_ends_first = right.until && left.from && *right.until <= *left.from;
  return !left_ends_first && !right_ends_first;
}

std::string name_of(const Price& price) {
  std::string name = "for";
  for (const auto& [what, which] :
       {std::pair("tenant", &price.tenant), {"meter", &price.meter}, {"model", &price.model}})
    if (!which->empty()) name += std::string(" ") + what + ' ' + *which;
  return name == "for" ? "for all use" : name;
}

}  // namespace

bool Package::pays_for(const UseAccount& account) const {
  return is_or_any(tenant, account.tenant) && is_or_any(meter, account.meter) &&
         (models.empty() || std::ranges::find(models, account.model) != models.end());
}

const Decimal& Package::ratio(std::string_view model) const {
  const auto found = ratios.find(model);
  return found == ratios.end() ? ratio_of_others : found->second;
}

bool Price::is_for(const UseAccount& account) const {
  return is_or_any(tenant, account.tenant) && is_or_any(meter, account.meter) &&
         is_or_any(model, account.model);
}

std::vector<const Price*> Terms::prices_of(const UseAccount& account) const {
  std::vector<const Price*> found;
  for (const Price& price : prices)
    if (price.is_for(account)) found.push_back(&price);
  std::ranges::stable_sort(found, [](const Price* left, const Price* right) {
    return precedence(*left) > precedence(*right);
  });
  return found;
}

std::string Terms::currency_of(const std::string& tenant) const {
  for (const std::string& whose : {tenant, std::string()})
    for (const Price& price : prices)
      if (price.tenant == whose) return price.currency;
  return {};
}

Result<void> check_terms(const Terms& terms) {
  std::set<std::string> ids;
  for (const Package& package : terms.packages)
    if (!ids.insert(package.id).second)
      return failure("two packages have the id " + package.id,
                     "give each package an id of its own");
  for (std::size_t i = 0; i < terms.prices.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Price &one = terms.prices[j], &other = terms.prices[i];
      const auto scope = [](const Price& price) {
        return std::tie(price.tenant, price.meter, price.model);
      };
      if (one.tenant == other.tenant && one.currency != other.currency)
        return failure("prices " + name_of(one) + " are in " + one.currency + ", prices " +
                           name_of(other) + " in " + other.currency,
                       "nothing is converted: give a tenant prices in one currency");
      if (scope(one) == scope(other) && overlap(one, other))
        return failure("two prices hold " + name_of(one) + " at the same time",
                       "give each \"from\" and \"to\", or remove one");
    }
  }
  return {};
}

}  // namespace bops
