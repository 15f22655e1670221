// bops validate of the collectors of hardware counters: on the PMU double, and without a PMU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "collectors/pmu/event_table.hpp"
#include "tests/doubles/pmu/event_rules.hpp"
#include "tests/doubles/pmu/pmu_double.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::run;

nlohmann::json rows_of(const std::string& collector,
                       const std::map<std::string, std::string>& variables) {
  const auto ended = run({bops_program(), "validate", "--quick", "--json", "--kernels", "stream",
                          "--collector", collector},
                         variables);
  EXPECT_LE(ended.code, 1) << ended.errors;  // 1: the claim fails
  const auto document = nlohmann::json::parse(ended.output, nullptr, false);
  EXPECT_TRUE(document.contains("rows")) << ended.errors;
  return document.value("rows", nlohmann::json::array());
}

class CounterTable : public ::testing::TestWithParam<const char*> {};

TEST_P(CounterTable, tells_the_formulas_error_from_the_counters) {
  const auto sets = pmu::event_sets_for(pmu::this_machine());
  if (!sets || sets->size() != 1) GTEST_SKIP() << "there is no single event table for this CPU";
  // Counters that count every run alike: of a kernel, whose runs are compared, that leaves nothing.
  const PmuDouble pmu(event_rules(sets->front()) +
                      "thread * instructions=4000000 loads=900000 stores=300000 branches=500000\n");
  const harness::TemporaryDirectory state;
  auto variables = pmu.environment();
  variables["BOPS_STATE_DIR"] = state / "state";
  const auto rows = rows_of(GetParam(), variables);
  const auto exact_rows = rows_of("native", {});
  ASSERT_FALSE(rows.empty());
  ASSERT_EQ(rows.size(), exact_rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto &row = rows[i], &exact = exact_rows[i];
    EXPECT_EQ(row.at("build"), exact.at("build"));
    EXPECT_EQ(row.at("counted").at("instructions"), 0) << row.at("build");
    const double model = row.at("model_error"), counter = row.at("counter_error");
    const auto formula = row.at("exact").at("bops_formula").get<double>();
    EXPECT_NEAR(model, formula / row.at("source").get<double>() - 1, 1e-12);
    // The engine alone, which does not need as many rounds, finds the same.
    EXPECT_NEAR(model, exact.at("error").at("mean").get<double>(), 1e-3) << row.at("build");
    EXPECT_NEAR(model + counter, row.at("error").at("mean").get<double>(), 1e-9);
    EXPECT_NEAR(row.at("error").at("mean").get<double>(), -1, 1e-9);
  }
}

INSTANTIATE_TEST_SUITE_P(Collectors, CounterTable, ::testing::Values("pmu", "perf", "papi"),
                         [](const auto& test) { return std::string(test.param); });

TEST(CounterValidation, without_a_pmu_says_in_one_line_why_not_and_what_to_do) {
  for (const char* collector : {"pmu", "perf", "papi"}) {
    const auto probe = run({bops_program(), "run", "--collector", collector, "--", "/bin/true"});
    if (probe.code == 0) GTEST_SKIP() << "this machine has a PMU";
    const auto ended = run({bops_program(), "validate", "--quick", "--collector", collector});
    EXPECT_EQ(ended.code, 125);
    EXPECT_EQ(ended.output, "");
    EXPECT_EQ(std::count(ended.errors.begin(), ended.errors.end(), '\n'), 2) << ended.errors;
    EXPECT_TRUE(ended.errors.starts_with("bops: the collector " + std::string(collector) +
                                         " cannot run here: "))
        << ended.errors;
  }
}

}  // namespace
}  // namespace bops
