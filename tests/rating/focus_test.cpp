#include "usage/rating/focus.hpp"

#include <gtest/gtest.h>

#include "tests/rating/cases.hpp"
#include "tests/rating/csv_reader.hpp"

namespace bops::rating_cases {
namespace {

constexpr std::int64_t kDay = 24 * 3600;

std::vector<CsvRow> focus(const Case& made, const FocusOptions& options = {}) {
  return read_csv(focus_csv(rated(made), made.terms, options));
}

Case sold() {
  Case made;
  made.records = {record("a", 0, 60, 500), record("b", 3600, 3660, 1000)};
  for (RatingRecord& record : made.records) {
    record.account.tenant = "acme";
    record.account.meter = "tokens";
  }
  Package bought = package("p", 800, 0, 7200);
  bought.tenant = "acme";
  bought.meter = "tokens";
  bought.cost = parse_fraction("19.9").value();
  bought.currency = "CNY";
  made.terms.packages = {bought};
  made.terms.prices = {price()};
  return made;
}

BigRational number(const CsvRow& row, const std::string& column) {
  return parse_fraction(row.at(column)).value();
}

// What the specification marks as mandatory and not null.
const std::vector<std::string> kNeverNull{
    "BilledCost",         "BillingAccountId", "BillingCurrency",   "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory",   "ChargePeriodEnd",   "ChargePeriodStart",
    "ContractedCost",     "EffectiveCost",    "InvoiceIssuerName", "ListCost",
    "PricingQuantity",    "PricingUnit",      "ProviderName",      "PublisherName",
    "ServiceCategory",    "ServiceName",      "ChargeDescription", "BillingAccountName"};

TEST(Focus, has_all_mandatory_columns_filled_and_times_in_order) {
  RandomCases random(8001);
  std::size_t seen = 0;
  for (int round = 0; round < 100; ++round)
    for (const CsvRow& row : focus(random.make())) {
      ++seen;
      for (const std::string& column : kNeverNull) EXPECT_NE(row.at(column), "") << column;
      EXPECT_TRUE(row.contains("ChargeClass"));
      EXPECT_LT(row.at("ChargePeriodStart"), row.at("ChargePeriodEnd"));
      EXPECT_LE(row.at("BillingPeriodStart"), row.at("ChargePeriodStart"));
      EXPECT_LT(row.at("ChargePeriodStart"), row.at("BillingPeriodEnd"));
    }
  EXPECT_GT(seen, 200U);
}

TEST(Focus, bills_the_purchase_of_a_package_and_not_its_use) {
  const std::vector<CsvRow> rows = focus(sold());
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].at("ChargeCategory"), "Purchase");
  EXPECT_EQ(rows[0].at("BilledCost"), "19.9");
  EXPECT_EQ(rows[0].at("EffectiveCost"), "0");
  EXPECT_EQ(rows[0].at("ChargeFrequency"), "One-Time");
  EXPECT_EQ(rows[0].at("CommitmentDiscountQuantity"), "800");
  EXPECT_EQ(rows[0].at("ConsumedQuantity"), "");
  EXPECT_EQ(rows[1].at("ChargeCategory"), "Usage");
  EXPECT_EQ(rows[1].at("BilledCost"), "0");
  EXPECT_EQ(rows[1].at("EffectiveCost"), "12.4375");
  EXPECT_EQ(rows[1].at("CommitmentDiscountStatus"), "Used");
  EXPECT_EQ(rows[1].at("CommitmentDiscountId"), "p");
  EXPECT_EQ(rows[1].at("ConsumedQuantity"), "500");
  EXPECT_EQ(rows[1].at("ConsumedUnit"), "Tokens");
  EXPECT_EQ(rows[1].at("ListCost"), "0.001");
  EXPECT_EQ(rows[3].at("BilledCost"), "0.0014");
  EXPECT_EQ(rows[3].at("PricingUnit"), "1000 Tokens");
  EXPECT_EQ(rows[3].at("PricingQuantity"), "0.7");
  EXPECT_EQ(rows[3].at("ListUnitPrice"), "0.002");
  EXPECT_EQ(rows[3].at("PricingCategory"), "Standard");
  EXPECT_EQ(rows[3].at("ChargePeriodStart"), "1970-01-01T01:00:00Z");
  EXPECT_EQ(rows[3].at("ChargePeriodEnd"), "1970-01-01T02:00:00Z");
}

TEST(Focus, shows_what_lapsed_as_unused) {
  Case made = sold();
  made.records.pop_back();
  made.policy.cutoff = 7200 * kNsPerSecond;
  const std::vector<CsvRow> rows = focus(made);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[2].at("CommitmentDiscountStatus"), "Unused");
  EXPECT_EQ(rows[2].at("CommitmentDiscountQuantity"), "300");
  EXPECT_EQ(rows[2].at("BilledCost"), "0");
  EXPECT_EQ(rows[2].at("ConsumedQuantity"), "");
  EXPECT_EQ(number(rows[1], "EffectiveCost") + number(rows[2], "EffectiveCost"),
            number(rows[0], "BilledCost"))
      << "used and unused are all that was paid";
}

TEST(Focus, bills_in_all_what_the_lines_and_the_purchases_sum_to) {
  RandomCases random(8101);
  for (int round = 0; round < 200; ++round) {
    Case made = random.make();
    for (Package& package : made.terms.packages) {
      package.cost = BigRational(random.below(10000), 100);
      package.currency = "CNY";
    }
    BigRational expected = 0, billed = 0;
    for (const auto& [key, amounts] : rated(made).lines)
      expected += parse_fraction(amounts.amount.text()).value();
    for (const Package& package : made.terms.packages) expected += *package.cost;
    for (const CsvRow& row : focus(made)) {
      billed += number(row, "BilledCost");
      // Unit price times quantity is the cost, to the last place.
      const BigRational cost = number(row, "ListUnitPrice") * number(row, "PricingQuantity");
      EXPECT_LE(abs(BigRational(cost - number(row, "ListCost"))),
                BigRational(1, 5000000) * (1 + number(row, "PricingQuantity")));
    }
    EXPECT_EQ(billed, expected);
  }
}

TEST(Focus, calls_differences_in_invoiced_months_corrections) {
  Case made = sold();
  Rating rating = rated(made);
  FocusOptions options;
  options.is_difference = true;
  const auto rows_with = [&](std::optional<std::int64_t> invoiced,
                             std::optional<std::int64_t> cutoff) {
    options.invoiced_until.reset();
    if (invoiced) options.invoiced_until = *invoiced * kNsPerSecond;
    options.cutoff.reset();
    if (cutoff) options.cutoff = *cutoff * kNsPerSecond;
    return read_csv(focus_csv(rating, made.terms, options));
  };
  for (const CsvRow& row : rows_with({}, {})) {
    EXPECT_EQ(row.at("ChargeCategory"), "Usage") << "a purchase is no difference";
    EXPECT_EQ(row.at("ChargeClass"), "Correction");
    EXPECT_EQ(row.at("BillingPeriodStart"), "1970-01-01T00:00:00Z");
  }
  for (const CsvRow& row : rows_with({}, 40 * kDay)) {
    EXPECT_EQ(row.at("ChargeClass"), "Correction");
    EXPECT_EQ(row.at("BillingPeriodStart"), "1970-02-01T00:00:00Z") << "billed when it is found";
    EXPECT_EQ(row.at("BillingPeriodEnd"), "1970-03-01T00:00:00Z");
    EXPECT_TRUE(row.at("ChargePeriodStart").starts_with("1970-01-01T0"));
  }
  for (const CsvRow& row : rows_with(31 * kDay - 1, 40 * kDay))
    EXPECT_EQ(row.at("ChargeClass"), "") << "the month was not invoiced yet";
  for (const CsvRow& row : rows_with(31 * kDay, 40 * kDay))
    EXPECT_EQ(row.at("ChargeClass"), "Correction");
  options.is_difference = false;
  for (const CsvRow& row : rows_with({}, {})) EXPECT_EQ(row.at("ChargeClass"), "");
}

TEST(Focus, keeps_names_whatever_characters_they_have) {
  for (const std::string name : {"a,b", "a \"b\"", "two\r\nlines", "\"", ",", "\xe4\xb8\xad"}) {
    Case made = sold();
    for (RatingRecord& record : made.records) record.account.tenant = name;
    made.terms.packages.front().tenant = name;
    made.terms.packages.front().id = name;
    for (const CsvRow& row : focus(made)) EXPECT_EQ(row.at("BillingAccountId"), name);
    EXPECT_EQ(focus(made).at(0).at("CommitmentDiscountId"), name);
  }
}

}  // namespace
}  // namespace bops::rating_cases
