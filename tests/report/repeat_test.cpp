#include "report/repeat.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "sample_records.hpp"

namespace bops {
namespace {

RunRecord run_of(std::uint64_t instructions, std::uint64_t loads, std::uint64_t wall_ns) {
  RunRecord run;
  run.wall_ns = wall_ns;
  run.counts.quality = Quality::kExact;
  run.counts.threads = {{1, 1, "", 0, {}, "qemu", {{instructions, loads, 0, 0}, Operations{}, {}}}};
  run.counts.threads[0].counts.operations->integer = instructions;
  return run;
}

RepeatStatistic statistic(const RepeatSummary& summary, std::string_view name) {
  for (const RepeatStatistic& found : summary.statistics)
    if (found.name == name) return found;
  ADD_FAILURE() << "no statistic " << name;
  return {};
}

TEST(Repeat, gives_mean_sample_deviation_and_limits) {
  const std::vector<RunRecord> runs{run_of(2, 9, 10), run_of(4, 9, 10), run_of(4, 9, 10),
                                    run_of(4, 9, 10), run_of(5, 9, 10), run_of(5, 9, 10),
                                    run_of(7, 9, 10), run_of(9, 9, 10)};
  const RepeatSummary summary = summarise(runs);
  EXPECT_EQ(summary.runs, 8U);
  const RepeatStatistic instructions = statistic(summary, "instructions");
  EXPECT_DOUBLE_EQ(instructions.mean, 5);
  EXPECT_DOUBLE_EQ(instructions.standard_deviation, std::sqrt(32.0 / 7));
  EXPECT_EQ(instructions.minimum, 2);
  EXPECT_EQ(instructions.maximum, 9);
  EXPECT_EQ(statistic(summary, "loads").standard_deviation, 0);
  EXPECT_EQ(statistic(summary, "wall_ns").mean, 10);
  EXPECT_DOUBLE_EQ(statistic(summary, "bops_formula").mean, 5 - 9);
  EXPECT_EQ(statistic(summary, "bops_formula").minimum, 2 - 9);
  EXPECT_DOUBLE_EQ(statistic(summary, "operations.total").mean, 5);
}

TEST(Repeat, small_spreads_of_huge_counts_are_not_cancelled) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const RepeatSummary summary = summarise(std::vector<RunRecord>{
      run_of(kMost - 2, 0, kMost), run_of(kMost - 1, 0, kMost), run_of(kMost, 0, kMost)});
  EXPECT_DOUBLE_EQ(statistic(summary, "instructions").standard_deviation, 1);
  EXPECT_EQ(statistic(summary, "wall_ns").standard_deviation, 0);
}

TEST(Repeat, the_order_of_the_runs_does_not_matter) {
  const RepeatSummary forth = summarise(
      std::vector<RunRecord>{run_of(1, 0, 1), run_of(1'000'000'007, 0, 5), run_of(77, 0, 9)});
  const RepeatSummary back = summarise(
      std::vector<RunRecord>{run_of(77, 0, 9), run_of(1'000'000'007, 0, 5), run_of(1, 0, 1)});
  for (const RepeatStatistic& one : forth.statistics) {
    EXPECT_DOUBLE_EQ(one.mean, statistic(back, one.name).mean);
    EXPECT_DOUBLE_EQ(one.standard_deviation, statistic(back, one.name).standard_deviation);
  }
}

TEST(Repeat, one_run_has_no_spread_and_none_has_no_statistics) {
  const RepeatSummary one = summarise(std::vector<RunRecord>{run_of(5, 1, 10)});
  EXPECT_EQ(statistic(one, "instructions").standard_deviation, 0);
  EXPECT_EQ(statistic(one, "instructions").mean, 5);
  EXPECT_TRUE(summarise({}).statistics.empty());
}

TEST(Repeat, a_number_that_one_run_lacks_has_no_statistic) {
  RunRecord undecoded = run_of(5, 1, 10);
  undecoded.counts.threads[0].counts.operations.reset();
  const RepeatSummary summary = summarise(std::vector<RunRecord>{run_of(5, 1, 10), undecoded});
  EXPECT_EQ(summary.statistics.size(), 6U);
  for (const RepeatStatistic& found : summary.statistics) EXPECT_NE(found.name, "operations.total");
  undecoded.counts.quality = Quality::kMissing;
  EXPECT_EQ(summarise(std::vector<RunRecord>{run_of(5, 1, 10), undecoded}).statistics.size(), 1U)
      << "only the wall time is known of both";
}

}  // namespace
}  // namespace bops
