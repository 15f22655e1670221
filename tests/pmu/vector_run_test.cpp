// bops run --vector as a user meets it, with this machine's own event table on the PMU double.
#include <gtest/gtest.h>

#include "collectors/pmu/event_table.hpp"
#include "tests/doubles/pmu/event_rules.hpp"
#include "tests/doubles/pmu/pmu_double.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops::pmu {
namespace {

using harness::run;
using harness::target_program;

class VectorRun : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto sets = event_sets_for(this_machine());
    if (!sets || sets->size() != 1 || sets->front().vector_events.empty())
      GTEST_SKIP() << "there is no event table with vector events for this CPU";
    set_ = sets->front();
  }
  /// Every thread counts 10 of the first vector event, 20 of the second, ...
  [[nodiscard]] std::string rules() const {
    std::string rules =
        event_rules(set_) + "thread * instructions=1000 loads=100 stores=50 branches=30";
    for (std::size_t i = 0; i < set_.vector_events.size(); ++i)
      rules += " vector" + std::to_string(i) + "=" + std::to_string(10 * (i + 1));
    return rules + "\n";
  }
  EventSet set_;
};

TEST_F(VectorRun, counts_in_as_many_further_runs_as_the_table_has_groups) {
  const PmuDouble pmu(rules());
  const auto counted =
      harness::count({target_program("threads"), "4", "1000"},
                     {"--collector", "perf", "--vector=second-run"}, pmu.environment());
  ASSERT_EQ(counted.ended.code, 0) << counted.ended.errors;
  EXPECT_EQ(counted.record.at("totals").at("instructions"), 5000);
  ASSERT_TRUE(counted.record.contains("vector")) << counted.ended.errors;
  const auto& vector = counted.record.at("vector");
  EXPECT_EQ(vector.at("further_runs"), set_.vector_groups.size());
  double expected = 0;
  for (std::size_t i = 0; i < set_.vector_events.size(); ++i)
    expected += 5 * 10 * static_cast<double>(i + 1) * set_.vector_events[i].operations;
  EXPECT_NEAR(vector.at("operations_estimate").get<double>(), expected,
              static_cast<double>(set_.vector_events.size()));
}

TEST_F(VectorRun, is_counted_with_the_rest_or_points_to_a_second_run) {
  const PmuDouble pmu(rules());
  const auto counted = harness::count({target_program("threads"), "4", "1000"},
                                      {"--collector", "perf", "--vector"}, pmu.environment());
  if (counted.ended.code == 0) {
    EXPECT_EQ(counted.record.at("vector").at("further_runs"), 0);
  } else {
    EXPECT_EQ(counted.ended.code, 125);
    EXPECT_NE(counted.ended.errors.find("--vector=second-run"), std::string::npos)
        << counted.ended.errors;
  }
}

TEST_F(VectorRun, that_ends_in_another_way_than_the_first_is_told) {
  const PmuDouble pmu(rules());
  const harness::TemporaryDirectory directory;
  const auto counted =
      harness::count({"/bin/sh", "-c", "test -e \"$0\" && exit 3; : > \"$0\"", directory / "been"},
                     {"--collector", "perf", "--vector=second-run"}, pmu.environment());
  EXPECT_EQ(counted.ended.code, 0) << counted.ended.errors;
  EXPECT_NE(counted.record.at("warnings").dump().find("further_run_differs"), std::string::npos);
}

TEST(VectorOption, is_refused_by_collectors_that_count_operations_exactly) {
  for (const std::string& engine : harness::exact_engines())
    for (const char* option : {"--vector", "--vector=second-run"}) {
      const auto ended = run({harness::bops_program(), "run", "--collector", engine, option, "--",
                              "/bin/echo", "ran"});
      EXPECT_EQ(ended.code, 125);
      EXPECT_EQ(ended.output, "");
      EXPECT_NE(ended.errors.find("counts operations exactly"), std::string::npos) << ended.errors;
    }
}

TEST(VectorOption, is_of_whole_runs_only) {
  const auto ended =
      run({harness::bops_program(), "run", "--vector", "--delay", "1s", "--", "/bin/echo", "ran"});
  EXPECT_EQ(ended.code, 125);
  EXPECT_EQ(ended.output, "");
}

}  // namespace
}  // namespace bops::pmu
