#include "cli/usage/rating_document.hpp"

#include <map>

#include "report/escape.hpp"

namespace bops {
namespace {

std::string named(const std::string& name) {
  return name.empty() ? "-" : printable(name);
}

Table line_table(const Rating& rating, TimeForm form, bool is_difference) {
  Table table{is_difference ? "Differences" : "Lines",
              rating.lines.empty() ? "there are none" : "",
              {{"hour", form == TimeForm::kSeconds},
               {"tenant", false},
               {"meter", false},
               {"kind", false},
               {"package", false},
               {"quantity"},
               {"amount"},
               {"currency", false}},
              {}};
  for (const auto& [key, amounts] : rating.lines)
    table.rows.push_back({time_text(key.hour, form), named(key.tenant), named(key.meter),
                          std::string(to_string(key.kind)), named(key.package),
                          amounts.quantity.text(), amounts.amount.text(), named(amounts.currency)});
  return table;
}

Table sum_table(const Rating& rating) {
  Table table{"Amounts", "", {{"tenant", false}, {"amount"}, {"currency", false}}, {}};
  std::map<std::string, std::map<std::string, Decimal>> sums;  // by tenant and currency
  for (const auto& [key, amounts] : rating.lines)
    sums[key.tenant][amounts.currency] += amounts.amount;
  for (const auto& [tenant, by_currency] : sums)
    for (const auto& [currency, sum] : by_currency)
      if (!sum.is_zero()) table.rows.push_back({named(tenant), sum.text(), named(currency)});
  if (table.rows.empty()) table.note = "nothing to pay";
  return table;
}

Table package_table(const Rating& rating) {
  Table table{
      "Packages", "", {{"package", false}, {"bought"}, {"used"}, {"lapsed"}, {"balance"}}, {}};
  for (const PackageBalance& each : rating.balances)
    table.rows.push_back({named(each.package), each.bought.text(), each.used.text(),
                          each.lapsed.text(), each.balance.text()});
  return table;
}

}  // namespace

Document describe(const Rating& rating, TimeForm form, bool is_difference) {
  Document document;
  document.title = is_difference ? "usage: what must be added to the lines before" : "usage, rated";
  document.tables = {line_table(rating, form, is_difference), sum_table(rating)};
  if (!rating.balances.empty()) document.tables.push_back(package_table(rating));
  for (const UnratedUse& each : rating.unrated)
    document.warnings.push_back(
        {"not_rated", each.quantity.str() + " units of " + named(each.account.meter) +
                          " of tenant " + named(each.account.tenant) + " in " +
                          std::to_string(each.records) + " records: " + each.reason});
  return document;
}

}  // namespace bops
