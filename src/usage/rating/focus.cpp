#include "usage/rating/focus.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string_view>

namespace bops {
namespace {

/// In the order of the cells; the specification sorts them by name, too.
enum Column : std::size_t {
  kBilledCost,
  kBillingAccountId,
  kBillingAccountName,
  kBillingAccountType,
  kBillingCurrency,
  kBillingPeriodEnd,
  kBillingPeriodStart,
  kChargeCategory,
  kChargeClass,
  kChargeDescription,
  kChargeFrequency,
  kChargePeriodEnd,
  kChargePeriodStart,
  kCommitmentDiscountCategory,
  kCommitmentDiscountId,
  kCommitmentDiscountName,
  kCommitmentDiscountQuantity,
  kCommitmentDiscountStatus,
  kCommitmentDiscountType,
  kCommitmentDiscountUnit,
  kConsumedQuantity,
  kConsumedUnit,
  kContractedCost,
  kContractedUnitPrice,
  kEffectiveCost,
  kInvoiceIssuerName,
  kListCost,
  kListUnitPrice,
  kPricingCategory,
  kPricingQuantity,
  kPricingUnit,
  kProviderName,
  kPublisherName,
  kServiceCategory,
  kServiceName,
  kSkuId,
  kSkuMeter,
  kSkuPriceId,
  kColumns,
};

constexpr std::array<std::string_view, kColumns> kNames{
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SkuMeter",
    "SkuPriceId",
};

using Row = std::array<std::string, kColumns>;

std::string cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char character : text) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return quoted + '"';
}

template <class Cell>
std::string csv_line(const std::array<Cell, kColumns>& cells) {
  std::string line;
  for (const auto& each : cells) line += (&each == cells.data() ? "" : ",") + cell(each);
  return line + "\r\n";
}

struct Month {
  RatingTime begin;
  RatingTime end;
};

Month month_of(RatingTime time) {
  using std::chrono::sys_days, std::chrono::nanoseconds, std::chrono::days;
  const auto day = std::chrono::floor<days>(sys_days{} + nanoseconds(time));
  const std::chrono::year_month_day date(day);
  const auto first = sys_days(date.year() / date.month() / 1);
  const auto next = sys_days(date.year() / date.month() / 1 + std::chrono::months(1));
  const auto ns = [](sys_days each) {
    return std::chrono::duration_cast<nanoseconds>(each.time_since_epoch()).count();
  };
  return {ns(first), ns(next)};
}

struct MeterNames {
  std::string_view meter;
  std::string_view unit;
};

/// Units as the specification writes them: capitalised, in the plural.
std::string unit_of(std::string_view meter) {
  constexpr std::array<MeterNames, 6> kUnits{{{"bops_", "Operations"},
                                              {"instructions", "Instructions"},
                                              {"cpu_time", "Nanoseconds"},
                                              {"tokens", "Tokens"},
                                              {"requests", "Requests"},
                                              {"images", "Images"}}};
  for (const auto& [prefix, unit] : kUnits)
    if (meter.starts_with(prefix)) return std::string(unit);
  return "Units";
}

std::string category_of(std::string_view meter) {
  const bool work = meter.starts_with("tokens") || meter.starts_with("requests") ||
                    meter.starts_with("images") || meter.starts_with("work_");
  return work ? "AI and Machine Learning" : "Compute";
}

BigRational value_of(const Decimal& decimal) {
  static const BigInteger one = Decimal::of_integer(1).units();
  return {decimal.units(), one};
}

std::string text_of(const BigRational& value) {
  return Decimal::rounded(value).text();
}

class FocusRows {
 public:
  FocusRows(const Terms& terms, const FocusOptions& options) : terms_(terms), options_(options) {}

  [[nodiscard]] Row purchase(const Package& package) const;
  [[nodiscard]] Row line(const LineKey& key, const LineAmounts& amounts) const;

 private:
  [[nodiscard]] Row row(const std::string& tenant, const std::string& meter) const;
  [[nodiscard]] const Package* package_of(const std::string& id) const;
  /// The one price of the tenant's use of that meter in that hour; null if there is not just one.
  [[nodiscard]] const Price* price_in(const LineKey& key) const;
  void set_times(Row& row, RatingTime begin, RatingTime end) const;
  void set_commitment(Row& row, const Package& package, const std::string& status) const;
  /// `quantity` units at the list price, which is all of `cost` where there is not just one price.
  void set_price(Row& row, const Price* price, const std::string& unit, const Decimal& quantity,
                 const BigRational& cost) const;

  const Terms& terms_;
  const FocusOptions& options_;
};

Row FocusRows::row(const std::string& tenant, const std::string& meter) const {
  Row row;
  row[kBillingAccountId] = row[kBillingAccountName] = tenant.empty() ? "unassigned" : tenant;
  row[kBillingAccountType] = "Tenant";
  row[kInvoiceIssuerName] = row[kProviderName] = row[kPublisherName] = options_.provider;
  row[kServiceCategory] = category_of(meter);
  row[kServiceName] = "Metered " + (meter.empty() ? std::string("use") : meter);
  row[kSkuMeter] = meter.empty() ? "use" : meter;
  return row;
}

const Package* FocusRows::package_of(const std::string& id) const {
  const auto found = std::ranges::find(terms_.packages, id, &Package::id);
  return found == terms_.packages.end() ? nullptr : &*found;
}

const Price* FocusRows::price_in(const LineKey& key) const {
  const Price* only = nullptr;
  for (const Price& price : terms_.prices) {
    const bool concerns = (price.tenant.empty() || price.tenant == key.tenant) &&
                          (price.meter.empty() || price.meter == key.meter) &&
                          (!price.from || *price.from < key.hour + kNsPerHour) &&
                          (!price.until || key.hour < *price.until);
    if (!concerns) continue;
    if (only != nullptr) return nullptr;
    only = &price;
  }
  return only;
}

void FocusRows::set_times(Row& row, RatingTime begin, RatingTime end) const {
  row[kChargePeriodStart] = time_text(begin, TimeForm::kDated);
  row[kChargePeriodEnd] = time_text(end, TimeForm::kDated);
  Month billed = month_of(begin);
  const bool invoiced = options_.is_difference &&
                        (!options_.invoiced_until || billed.end <= *options_.invoiced_until);
  if (invoiced) {
    row[kChargeClass] = "Correction";
    if (options_.cutoff && *options_.cutoff >= billed.end) billed = month_of(*options_.cutoff);
  }
  row[kBillingPeriodStart] = time_text(billed.begin, TimeForm::kDated);
  row[kBillingPeriodEnd] = time_text(billed.end, TimeForm::kDated);
}

void FocusRows::set_commitment(Row& row, const Package& package, const std::string& status) const {
  row[kCommitmentDiscountCategory] = "Usage";
  row[kCommitmentDiscountId] = row[kCommitmentDiscountName] = package.id;
  row[kCommitmentDiscountStatus] = status;
  row[kCommitmentDiscountType] = "Prepaid package";
  row[kCommitmentDiscountUnit] = unit_of(package.meter);
  row[kPricingCategory] = "Committed";
}

void FocusRows::set_price(Row& row, const Price* price, const std::string& unit,
                          const Decimal& quantity, const BigRational& cost) const {
  if (price != nullptr) {
    row[kPricingUnit] = price->per == 1 ? unit : price->per.str() + ' ' + unit;
    row[kPricingQuantity] = text_of(value_of(quantity) / BigRational(price->per));
    row[kListUnitPrice] = text_of(price->unit);
    row[kListCost] = text_of(value_of(quantity) * price->per_unit);
  } else {
    row[kPricingUnit] = unit;
    row[kPricingQuantity] = quantity.text();
    row[kListUnitPrice] =
        quantity.is_zero() ? "0" : text_of(abs(BigRational(cost / value_of(quantity))));
    row[kListCost] = text_of(cost);
  }
  row[kContractedUnitPrice] = row[kListUnitPrice];
  row[kContractedCost] = row[kListCost];
}

Row FocusRows::purchase(const Package& package) const {
  Row made = row(package.tenant, package.meter);
  const BigRational cost = package.cost.value_or(0);
  set_times(made, package.effective, package.expires);
  set_commitment(made, package, "");
  set_price(made, nullptr, "Packages", Decimal::of_integer(1), cost);
  made[kBilledCost] = text_of(cost);
  made[kEffectiveCost] = "0";  // it is in that of the use
  made[kBillingCurrency] = package.currency;
  made[kChargeCategory] = "Purchase";
  made[kChargeFrequency] = "One-Time";
  made[kChargeDescription] = "Purchase of package " + package.id;
  made[kCommitmentDiscountQuantity] = package.quantity.str();
  made[kSkuId] = made[kSkuPriceId] = "package " + package.id;
  return made;
}

Row FocusRows::line(const LineKey& key, const LineAmounts& amounts) const {
  Row made = row(key.tenant, key.meter);
  const std::string what = key.meter.empty() ? "use" : key.meter;
  set_times(made, key.hour, key.hour + kNsPerHour);
  made[kBilledCost] = amounts.amount.text();
  made[kBillingCurrency] = amounts.currency;
  made[kChargeCategory] = "Usage";
  made[kChargeFrequency] = "Usage-Based";
  if (key.kind != LineKind::kLapse) {
    made[kConsumedQuantity] = amounts.quantity.text();
    made[kConsumedUnit] = unit_of(key.meter);
  }
  if (key.kind == LineKind::kPayg) {
    made[kChargeDescription] = "Use of " + what + ", pay as you go";
    made[kPricingCategory] = "Standard";
    made[kEffectiveCost] = amounts.amount.text();
    made[kSkuId] = made[kSkuPriceId] = what + " pay as you go";
    set_price(made, price_in(key), unit_of(key.meter), amounts.quantity, value_of(amounts.amount));
    made[kListCost] = made[kContractedCost] = amounts.amount.text();
    return made;
  }
  const Package* package = package_of(key.package);
  Package unknown;
  unknown.id = key.package;
  unknown.meter = key.meter;
  const bool lapsed = key.kind == LineKind::kLapse;
  set_commitment(made, package != nullptr ? *package : unknown, lapsed ? "Unused" : "Used");
  BigRational part = 0;  // of what the package cost
  if (package != nullptr && package->cost && package->quantity != 0)
    part = *package->cost * value_of(amounts.deducted) / BigRational(package->quantity);
  made[kEffectiveCost] = text_of(part);
  made[kCommitmentDiscountQuantity] = amounts.deducted.text();
  made[kChargeDescription] = lapsed ? "What was left of package " + key.package + " at its expiry"
                                    : "Use of " + what + ", paid for by package " + key.package;
  made[kSkuId] = made[kSkuPriceId] = "package " + key.package;
  set_price(made, lapsed ? nullptr : price_in(key), unit_of(key.meter), amounts.quantity, part);
  return made;
}

}  // namespace

std::string focus_csv(const Rating& rating, const Terms& terms, const FocusOptions& options) {
  const FocusRows rows(terms, options);
  std::string text = csv_line(kNames);
  std::vector<const Package*> packages;
  if (!options.is_difference)
    for (const Package& package : terms.packages)
      if (!options.cutoff || package.effective <= *options.cutoff) packages.push_back(&package);
  std::ranges::sort(packages, {}, &Package::id);
  for (const Package* package : packages) {
    Row row = rows.purchase(*package);
    if (row[kBillingCurrency].empty()) row[kBillingCurrency] = terms.currency_of(package->tenant);
    text += csv_line(row);
  }
  for (const auto& [key, amounts] : rating.lines) text += csv_line(rows.line(key, amounts));
  return text;
}

}  // namespace bops
