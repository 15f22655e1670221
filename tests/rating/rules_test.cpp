// The rules of rating, one at a time.
#include <gtest/gtest.h>

#include "tests/rating/cases.hpp"

namespace bops::rating_cases {
namespace {

constexpr std::int64_t kHour = 3600, kDay = 24 * kHour;

Case simple(std::vector<RatingRecord> records, std::vector<Package> packages = {}) {
  Case made;
  made.records = std::move(records);
  made.terms.form = TimeForm::kSeconds;
  made.terms.packages = std::move(packages);
  made.terms.prices.push_back(price());
  return made;
}

std::string rated_briefly(const Case& made) {
  return brief(rated(made).lines);
}

Error refused(const Case& made) {
  const auto rating = rate(selected(made), made.terms, made.policy);
  return rating ? Error{} : rating.error();
}

Package with_created(Package package, std::int64_t created) {
  package.created = created;
  return package;
}

TEST(Deduction, takes_packages_by_expiry_then_effect_then_creation_then_id) {
  const std::vector<Package> in_order{
      package("d", 1, 0, 7200), with_created(package("c", 1, -5, 7201), 9),
      with_created(package("e", 1, 0, 7201), 1), with_created(package("a", 1, 0, 7201), 2),
      with_created(package("b", 1, 0, 7201), 2)};
  for (std::size_t units = 1; units <= in_order.size(); ++units) {
    Case made = simple({record("r", 0, 60, static_cast<Quantity>(units))});
    made.terms.packages.assign(in_order.rbegin(), in_order.rend());
    const Rating rating = rated(made);
    EXPECT_EQ(rating.lines.size(), units);
    for (std::size_t i = 0; i < in_order.size(); ++i)
      EXPECT_EQ(rating.lines.contains({0, "", "", LineKind::kPackage, in_order[i].id}), i < units)
          << in_order[i].id << " with " << units;
  }
}

TEST(Deduction, goes_over_to_pay_as_you_go_within_the_hour) {
  EXPECT_EQ(rated_briefly(simple({record("r", 0, 60, 100)}, {package("p", 60, 0, kDay)})),
            "0 package p 60 0; 0 payg - 40 0.00008");
}

TEST(Validity, includes_the_effect_and_not_the_expiry) {
  const auto at = [](std::int64_t start) {
    return rated_briefly(simple({record("r", start, start + 1, 1)}, {package("p", 9, 100, 200)}));
  };
  EXPECT_EQ(at(99), "0 payg - 1 0.000002");
  EXPECT_EQ(at(100), "0 package p 1 0");
  EXPECT_EQ(at(199), "0 package p 1 0");
  EXPECT_EQ(at(200), "0 payg - 1 0.000002");
}

TEST(Validity, by_the_hour_is_that_of_any_part_of_the_hour) {
  const auto at = [](std::int64_t start) {
    Case made = simple({record("r", start, start + 1, 1)}, {package("p", 9, 3700, 7300)});
    made.policy.boundary = Boundary::kHour;
    return rated_briefly(made);
  };
  EXPECT_EQ(at(3599), "0 payg - 1 0.000002");
  EXPECT_EQ(at(3600), "3600 package p 1 0");
  EXPECT_EQ(at(7200 + 3599), "7200 package p 1 0");
  EXPECT_EQ(at(10800), "10800 payg - 1 0.000002");
  Case whole = simple({record("r", 7200, 7201, 1)}, {package("p", 9, 3600, 7200)});
  whole.policy.boundary = Boundary::kHour;
  EXPECT_EQ(rated_briefly(whole), "7200 payg - 1 0.000002") << "it ends where the hour starts";
}

TEST(Splitting, is_by_cumulative_floor_at_packages_and_hours) {
  // 10 units in 7 seconds: 1 2 4 5 7 8 10 after each.
  EXPECT_EQ(rated_briefly(simple({record("r", 3596, 3603, 10)}, {package("p", 99, 3598, 3602)})),
            "0 package p 3 0; 0 payg - 2 0.000004; 3600 package p 3 0; 3600 payg - 2 0.000004");
}

TEST(Splitting, gives_an_instant_to_the_time_at_which_it_is) {
  EXPECT_EQ(rated_briefly(simple({record("r", 1800, 1800, 5)}, {package("p", 99, 0, 1800)})),
            "0 payg - 5 0.00001");
  EXPECT_EQ(rated_briefly(simple({record("r", 1800, 1800, 5)}, {package("p", 99, 1800, 1801)})),
            "0 package p 5 0");
}

TEST(Lapse, is_what_is_left_at_the_expiry_once_the_cutoff_has_come_to_it) {
  Case made = simple({record("r", 0, 60, 30)}, {package("p", 100, 0, kHour)});
  EXPECT_EQ(rated_briefly(made), "0 package p 30 0");
  made.policy.cutoff = (kHour - 1) * kNsPerSecond;
  EXPECT_EQ(rated_briefly(made), "0 package p 30 0");
  EXPECT_EQ(rated(made).balances.front().balance.text(), "70");
  made.policy.cutoff = kHour * kNsPerSecond;
  EXPECT_EQ(rated_briefly(made), "0 package p 30 0; 3600 lapse p 70 0");
  EXPECT_EQ(rated(made).balances.front().lapsed.text(), "70");
  EXPECT_EQ(rated(made).balances.front().balance.text(), "0");
}

TEST(Lapse, has_no_line_where_nothing_is_left) {
  Case made = simple({record("r", 0, 60, 100)}, {package("p", 100, 0, kHour)});
  made.policy.cutoff = kDay * kNsPerSecond;
  EXPECT_EQ(rated_briefly(made), "0 package p 100 0");
}

TEST(Amounts, are_rounded_once_for_each_line) {
  // 0.000000333 a unit: each record alone would be rounded.
  Case made = simple({});
  made.terms.prices = {price("0.0000000001")};
  made.terms.prices.front().per = 3;
  made.terms.prices.front().per_unit = made.terms.prices.front().unit / 3;
  for (int i = 0; i < 3; ++i) made.records.push_back(record(std::to_string(i), 0, 60, 1));
  EXPECT_EQ(rated_briefly(made), "0 payg - 3 0.0000000001");
}

TEST(Scope, is_tenant_meter_and_model) {
  Case made = simple({});
  int number = 0;
  for (const std::string tenant : {"t1", "t2"})
    for (const std::string meter : {"tokens", "bops_formula"})
      for (const std::string model : {"", "a", "b"}) {
        made.records.push_back(record(std::to_string(number++), 0, 60, 10));
        made.records.back().account = {.tenant = tenant, .meter = meter, .model = model};
      }
  Package package = rating_cases::package("p", 100, 0, kDay);
  package.tenant = "t1";
  package.meter = "tokens";
  package.models = {"b", "c"};
  made.terms.packages = {package};
  EXPECT_EQ(rated(made).balances.front().used.text(), "10");
  made.terms.packages.front().models.clear();
  EXPECT_EQ(rated(made).balances.front().used.text(), "30");
  made.terms.packages.front().meter.clear();
  EXPECT_EQ(rated(made).balances.front().used.text(), "60");
  made.terms.packages.front().tenant.clear();
  EXPECT_EQ(rated(made).balances.front().used.text(), "100");
}

TEST(Ratio, is_what_a_unit_of_use_takes_from_the_package) {
  Case made = simple({record("r", 0, 60, 10)}, {package("p", 16, 0, kHour)});
  made.records.front().account.model = "large";
  made.terms.packages.front().ratios["large"] = Decimal::parse("2.5").value();
  made.policy.cutoff = kHour * kNsPerSecond;
  // Six take 15; the one that is left does not pay for a seventh.
  EXPECT_EQ(rated_briefly(made), "0 package p 6 0; 0 payg - 4 0.000008; 3600 lapse p 1 0");
  const Rating rating = rated(made);
  EXPECT_EQ(rating.lines.begin()->second.deducted.text(), "15");
  EXPECT_NE(lines(made).find(R"("qty":"6","deducted":"15","amount":"0")"), std::string::npos);
  made.terms.packages.front().ratios.clear();
  made.terms.packages.front().ratio_of_others = Decimal::parse("0.1").value();
  EXPECT_EQ(rated_briefly(made), "0 package p 10 0; 3600 lapse p 15 0");
}

TEST(Prices, hold_for_their_time_and_cut_the_hour) {
  Case made = simple({record("r", 0, 3600, 3600)});
  made.terms.prices = {price("1"), price("3")};
  made.terms.prices[0].until = 1200 * kNsPerSecond;
  made.terms.prices[1].from = 1200 * kNsPerSecond;
  EXPECT_EQ(rated_briefly(made), "0 payg - 3600 8.4");
}

TEST(Prices, of_the_tenant_go_before_those_of_the_meter_and_those_of_the_model) {
  Case made = simple({record("r", 0, 60, 1000)});
  made.records.front().account = {.tenant = "t1", .meter = "tokens", .model = "a"};
  made.terms.prices = {price("1")};
  EXPECT_EQ(rated_briefly(made), "0 payg - 1000 1");
  made.terms.prices.insert(made.terms.prices.begin(), price("2"));
  made.terms.prices.front().model = "a";
  EXPECT_EQ(rated_briefly(made), "0 payg - 1000 2");
  made.terms.prices.push_back(price("3"));
  made.terms.prices.back().meter = "tokens";
  EXPECT_EQ(rated_briefly(made), "0 payg - 1000 3");
  made.terms.prices.push_back(price("4"));
  made.terms.prices.back().tenant = "t1";
  EXPECT_EQ(rated_briefly(made), "0 payg - 1000 4");
  made.terms.prices.back().tenant = "t2";
  EXPECT_EQ(rated_briefly(made), "0 payg - 1000 3");
}

TEST(Prices, in_two_currencies_for_one_tenant_are_refused) {
  Case made = simple({record("r", 0, 60, 1), record("s", 0, 60, 1)});
  made.records[0].account = {.tenant = "t1", .meter = "tokens"};
  made.records[1].account = {.tenant = "t1", .meter = "requests"};
  made.terms.prices = {price(), price()};
  made.terms.prices[1].tenant = "t1";
  made.terms.prices[1].meter = "requests";
  EXPECT_EQ(refused(made).message, "");
  made.terms.prices[1].currency = "USD";
  EXPECT_NE(refused(made).message.find("CNY"), std::string::npos) << refused(made).message;
  made.terms.prices[1].meter.clear();
  EXPECT_EQ(refused(made).message, "") << "all of the tenant's are in USD, all others in CNY";
  made.terms.prices[1].tenant.clear();
  made.terms.prices[1].meter = "requests";
  EXPECT_NE(refused(made).message.find("USD"), std::string::npos) << refused(made).message;
}

TEST(Prices, that_hold_twice_at_one_time_are_refused) {
  Case made = simple({});
  made.terms.prices = {price("1"), price("2")};
  EXPECT_NE(refused(made).message, "");
  made.terms.prices[0].until = 5;
  made.terms.prices[1].from = 5;
  EXPECT_EQ(refused(made).message, "");
  made.terms.prices[1].from = 4;
  EXPECT_NE(refused(made).message, "");
}

TEST(Prices, that_are_missing_for_what_is_for_sale_refuse_the_rating) {
  Case made = simple({record("r", 0, 60, 100)}, {package("p", 60, 0, kDay)});
  made.terms.prices.clear();
  EXPECT_NE(refused(made).message.find("40"), std::string::npos) << refused(made).message;
  made.terms.packages.front().quantity = 100;
  EXPECT_EQ(rated_briefly(made), "0 package p 100 0");
}

TEST(Use, that_no_package_and_no_price_names_is_left_out_and_counted) {
  Case made = simple({record("r", 0, 60, 7), record("s", 0, 60, 5)});
  made.records[0].account.meter = "tokens";
  made.records[1].account.meter = "cpu_time";
  made.terms.prices.front().meter = "tokens";
  const Rating rating = rated(made);
  EXPECT_EQ(brief(rating.lines), "0 payg - 7 0.000014");
  ASSERT_EQ(rating.unrated.size(), 1U);
  EXPECT_EQ(rating.unrated.front().account.meter, "cpu_time");
  EXPECT_EQ(rating.unrated.front().quantity, 5);
  EXPECT_EQ(rating.unrated.front().records, 1U);
}

TEST(Use, of_unknown_error_is_charged_only_if_that_is_asked_for) {
  Case made = simple({record("r", 0, 60, 7)});
  made.records.front().account.error_known = false;
  EXPECT_EQ(rated_briefly(made), "");
  EXPECT_EQ(rated(made).unrated.size(), 1U);
  made.policy.charge_unknown_error = true;
  EXPECT_EQ(rated_briefly(made), "0 payg - 7 0.000014");
}

TEST(Use, that_its_program_could_have_forged_is_not_charged_by_a_price_that_requires_the_kernel) {
  Case made = simple({record("r", 0, 60, 7)});
  made.records.front().account.integrity = UsageIntegrity::kInTarget;
  EXPECT_EQ(rated_briefly(made), "0 payg - 7 0.000014");
  made.terms.prices.front().requires_kernel = true;
  EXPECT_EQ(rated_briefly(made), "");
  made.records.front().account.integrity = UsageIntegrity::kKernel;
  EXPECT_EQ(rated_briefly(made), "0 payg - 7 0.000014");
}

TEST(Packages, of_one_id_are_refused) {
  EXPECT_NE(refused(simple({}, {package("p", 1, 0, 9), package("p", 2, 0, 9)})).message, "");
}

TEST(Difference, refuses_lines_in_another_currency) {
  Case made = simple({record("r", 0, 60, 7)});
  Lines before = rated(made).lines;
  EXPECT_TRUE(difference(before, rated(made).lines).value().empty());
  before.begin()->second.currency = "USD";
  EXPECT_FALSE(difference(before, rated(made).lines));
}

}  // namespace
}  // namespace bops::rating_cases
