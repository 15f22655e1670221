#include "usage/rating/indicators.hpp"

#include <gtest/gtest.h>

#include "tests/rating/cases.hpp"

namespace bops::rating_cases {
namespace {

constexpr std::int64_t kMinute = 60;

RatingRecord metered(const std::string& id, const std::string& meter, std::int64_t start,
                     std::int64_t end, Quantity quantity) {
  RatingRecord made = record(id, start, end, quantity);
  made.account.tenant = "acme";
  made.account.meter = meter;
  made.account.model = "deepseek-r1";
  made.account.target_accuracy = "92.5";
  return made;
}

std::vector<UsageIndicators> indicators_of(const Case& made, std::optional<std::int64_t> from = {},
                                           std::optional<std::int64_t> until = {}) {
  const auto ns = [](std::optional<std::int64_t> seconds) {
    return seconds ? std::optional(*seconds * kNsPerSecond) : std::nullopt;
  };
  return indicators(selected(made), made.terms, ns(from), ns(until)).value();
}

TEST(Indicators, map_the_amount_of_work_to_its_rate_and_its_operations) {
  Case made;
  made.records = {metered("a", "tokens", 0, 2 * kMinute, 600),
                  metered("b", "bops_formula", 0, 2 * kMinute, 120'000),
                  metered("c", "images", 0, kMinute, 240)};
  const auto rows = indicators_of(made);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].tenant, "acme");
  EXPECT_EQ(rows[0].model_type, "deepseek-r1");
  EXPECT_EQ(rows[0].target_accuracy, "92.5");
  EXPECT_EQ(rows[0].time_ns, 120'000'000'000U);
  EXPECT_EQ(rows[0].processing_rate("tokens"), 300) << "a minute";
  EXPECT_EQ(rows[0].processing_rate("images"), 2) << "a second";
  EXPECT_EQ(rows[0].bops_per_second(), 1000);
  EXPECT_EQ(rows[0].bops_per_unit("tokens"), 200);
  EXPECT_EQ(rows[0].bops_per_unit("images"), 500);
  EXPECT_FALSE(rows[0].cost);
}

TEST(Indicators, have_no_number_where_nothing_was_measured) {
  Case made;
  made.records = {metered("a", "tokens", 0, kMinute, 600)};
  const auto rows = indicators_of(made);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_FALSE(rows[0].bops_formula);
  EXPECT_FALSE(rows[0].bops_per_second());
  EXPECT_FALSE(rows[0].bops_per_unit("tokens"));
  EXPECT_FALSE(rows[0].processing_rate("images"));
  EXPECT_FALSE(rows[0].cost_per_unit("tokens"));
  UsageIndicators emulated = rows[0];
  emulated.time_is_the_targets = false;
  EXPECT_FALSE(emulated.processing_rate("tokens"));
}

TEST(Indicators, count_time_once_where_records_overlap) {
  Case made;
  made.records = {metered("a", "tokens", 0, 60, 1), metered("b", "tokens", 30, 90, 1),
                  metered("c", "bops_formula", 30, 60, 1), metered("d", "tokens", 200, 210, 1),
                  metered("e", "tokens", 210, 220, 1)};
  EXPECT_EQ(indicators_of(made).at(0).time_ns, 110'000'000'000U);
}

TEST(Indicators, of_a_period_and_of_the_time_around_it_sum_to_the_whole) {
  RandomCases random(9001);
  for (int round = 0; round < 200; ++round) {
    Case made = random.make();
    for (RatingRecord& record : made.records)
      if (random.below(3) == 0) record.account.meter = "bops_formula";
    made.terms = {};
    const std::int64_t from = random.below(4 * 3600), until = from + random.below(3600);
    std::map<std::string, BigInteger> sums;
    std::map<std::string, std::uint64_t> times;
    const auto add = [&](const std::vector<UsageIndicators>& rows, int sign) {
      for (const UsageIndicators& row : rows) {
        for (const auto& [unit, amount] : row.work) sums[row.tenant + unit] += sign * amount;
        sums[row.tenant + "bops"] += sign * row.bops_formula.value_or(BigInteger(0));
        times[row.tenant] += static_cast<std::uint64_t>(sign) * row.time_ns;
      }
    };
    add(indicators_of(made), 1);
    add(indicators_of(made, {}, from), -1);
    add(indicators_of(made, from, until), -1);
    add(indicators_of(made, until, {}), -1);
    for (const auto& [what, sum] : sums) EXPECT_EQ(sum, 0) << what << " in round " << round;
    for (const auto& [tenant, time] : times) EXPECT_EQ(time, 0U) << tenant;
  }
}

TEST(Indicators, cost_what_the_same_use_is_rated_at) {
  Case made;
  made.records = {metered("a", "tokens", 0, kMinute, 600), metered("b", "tokens", 4000, 4060, 600),
                  metered("c", "bops_formula", 0, kMinute, 5000)};
  made.terms.prices = {price("0.5")};
  made.terms.prices.front().meter = "tokens";
  const auto rows = indicators_of(made);
  ASSERT_TRUE(rows.at(0).cost);
  EXPECT_EQ(rows[0].cost->text(), "0.6");
  EXPECT_EQ(rows[0].currency, "CNY");
  EXPECT_EQ(rows[0].cost_per_unit("tokens")->text(), "0.0005");
  EXPECT_EQ(indicators_of(made, 0, 3600).at(0).cost->text(), "0.3");
}

TEST(Indicators, have_a_row_for_each_tenant_and_model) {
  Case made;
  made.records = {metered("a", "tokens", 0, 60, 1), metered("b", "tokens", 0, 60, 2),
                  metered("c", "tokens", 0, 60, 4)};
  made.records[1].account.tenant = "zeta";
  made.records[2].account.model = "resnet50";
  const auto rows = indicators_of(made);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].model_type, "deepseek-r1");
  EXPECT_EQ(rows[1].model_type, "resnet50");
  EXPECT_EQ(rows[1].work.at("tokens"), 4);
  EXPECT_EQ(rows[2].tenant, "zeta");
}

}  // namespace
}  // namespace bops::rating_cases
