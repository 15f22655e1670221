// Regions on the PMU double: groups that take turns, two kinds of core, PAPI, counters that are
// lost.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "counted_run.hpp"
#include "event_sets.hpp"
#include "launch/target_process.hpp"
#include "tests/doubles/pmu/pmu_double.hpp"
#include "tests/platform/temporary_directory.hpp"

namespace bops::pmu {
namespace {

/// Counts follow the time on the counters, in these proportions in every part of it.
const std::string kRates =
    std::string(PmuDouble::skylake_events()) +
    "event instructions 10 0xc0\nevent loads 10 0x81d0\nevent stores 10 0x82d0\n"
    "event branches 10 0xc4\n"
    "thread * instructions=1000/us loads=100/us stores=50/us branches=20/us\n";
constexpr std::int64_t kLoadsIn = 10, kStoresIn = 20, kBranchesIn = 50;

const std::vector<std::string> kTwice{program("region_pages_on_double"),
                                      "begin",
                                      "outer",
                                      "touch",
                                      "3000",
                                      "begin",
                                      "inner",
                                      "touch",
                                      "3000",
                                      "end",
                                      "end",
                                      "touch",
                                      "3000",
                                      "begin",
                                      "second",
                                      "touch",
                                      "3000",
                                      "end"};

const RegionCounts& row(const RunCounts& counts, const std::string& name) {
  static const RegionCounts none;
  const auto found = std::find_if(counts.regions.begin(), counts.regions.end(),
                                  [&name](const RegionCounts& each) { return each.name == name; });
  EXPECT_NE(found, counts.regions.end()) << name;
  return found == counts.regions.end() ? none : *found;
}

std::string warning(const RunCounts& counts, std::string_view code) {
  for (const Warning& each : counts.warnings)
    if (each.code == code) return each.message;
  return {};
}

void expect_near(std::uint64_t found, std::uint64_t expected, std::uint64_t tolerance) {
  EXPECT_GE(found + tolerance, expected);
  EXPECT_LE(found, expected + tolerance);
}

/// The proportions of the rules, and rows that fit into one another and into their thread.
/// `tolerance`: a part of a thousand, for what is scaled.
void expect_proportions(const RunCounts& counts, std::uint64_t tolerance) {
  for (const char* name : {"outer", "inner", "second"}) {
    const RegionCounts& region = row(counts, name);
    EXPECT_TRUE(region.counted) << name;
    const InstructionCounts& found = region.counts.instructions;
    EXPECT_GT(found.total, 0U) << name;
    // A microsecond that is begun counts at its end.
    const std::uint64_t slack = 2000 + found.total * tolerance / 1000;
    expect_near(found.loads * kLoadsIn, found.total, slack);
    expect_near(found.stores * kStoresIn, found.total, slack);
    expect_near(found.branches * kBranchesIn, found.total, slack);
  }
  const std::uint64_t outer = row(counts, "outer").counts.instructions.total;
  const std::uint64_t second = row(counts, "second").counts.instructions.total;
  const std::uint64_t thread = counts.threads.back().counts.instructions.total;
  EXPECT_LT(row(counts, "inner").counts.instructions.total, outer);
  EXPECT_LE(outer + second, thread + thread * tolerance / 1000);
}

CountedRun run_with(const std::string& rules, Division division, std::vector<EventSet> sets,
                    const std::vector<std::string>& command = kTwice) {
  const PmuDouble pmu(rules);
  HardwareCollector collector("pmu", division, std::move(sets));
  return count(collector, command, {}, {}, pmu.environment());
}

TEST(RegionsOnDouble, are_counted_by_all_four_events) {
  const CountedRun run = run_with(kRates, Division::kPerf, {skylake()});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  expect_proportions(run.counts, 0);
}

TEST(RegionsOnDouble, of_groups_that_take_turns_are_scaled_by_their_own_times) {
  const CountedRun run = run_with(kRates + "running 50\n", Division::kPerf, {skylake_in_turns()});
  EXPECT_EQ(run.counts.quality, Quality::kScaled);
  expect_proportions(run.counts, 20);
}

TEST(RegionsOnDouble, of_two_kinds_of_core_are_summed) {
  const CountedRun run =
      run_with("types 0 3 4 10\n" + kRates + "running 70 type=4\nrunning 30 type=10\n",
               Division::kPerf, {skylake(), skylake(kSecondPmu)});
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  expect_proportions(run.counts, 20);
}

TEST(RegionsOnDouble, of_counters_that_were_taken_away_are_missing_not_zero) {
  const CountedRun run = run_with(kRates + "running 0\n", Division::kPerf, {skylake()});
  EXPECT_EQ(run.counts.quality, Quality::kMissing);
  for (const RegionCounts& region : run.counts.regions) EXPECT_FALSE(region.counted);
  EXPECT_EQ(row(run.counts, "outer").entries, 1U);
  EXPECT_NE(warning(run.counts, "regions_not_counted"), "");
}

/// Pages of events are locked in memory, and the library takes a share of what may be locked.
class RegionsByRdpmc : public ::testing::Test {
 protected:
  void SetUp() override {
    constexpr rlim_t kEnough = 8U << 20U;
    rlimit limit{};
    ::getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur >= kEnough) return;
    const rlimit enough{kEnough, std::max(kEnough, limit.rlim_max)};
    if (::setrlimit(RLIMIT_MEMLOCK, &enough) != 0)
      GTEST_SKIP() << "no memory may be locked here: ulimit -l " << limit.rlim_max / 1024;
  }
};

/// As run_with(), and how often rdpmc was executed.
std::pair<CountedRun, std::size_t> run_with_rdpmc(const std::string& rules,
                                                  const std::vector<std::string>& command = kTwice,
                                                  std::vector<EventSet> sets = {skylake()},
                                                  const CountingOptions& options = {}) {
  const PmuDouble pmu(rules);
  HardwareCollector collector("pmu", Division::kPerf, std::move(sets));
  CountedRun run = count(collector, command, {}, options, pmu.environment());
  return {std::move(run), pmu.counters_read()};
}

constexpr std::size_t kEvents = 4;

// A reading takes the double some microseconds for each event, and what is read first is behind.
constexpr std::uint64_t kPartsBehind = 100;

TEST_F(RegionsByRdpmc, are_read_where_that_is_allowed) {
  const auto [run, readings] = run_with_rdpmc(kRates + "rdpmc\n");
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  expect_proportions(run.counts, kPartsBehind);
  // Six calls, the check at the beginning, and what was read again as the page had changed.
  EXPECT_GT(readings, 7 * kEvents);
}

TEST_F(RegionsByRdpmc, of_threads_and_children_are_read_each_by_its_own_pages) {
  const auto [run, readings] =
      run_with_rdpmc(kRates + "rdpmc\n", {program("region_pages_on_double"),
                                          "begin",
                                          "outer",
                                          "touch",
                                          "3000",
                                          "fork",
                                          "begin",
                                          "inner",
                                          "touch",
                                          "3000",
                                          "end",
                                          "join",
                                          "threads",
                                          "3",
                                          "begin",
                                          "second",
                                          "touch",
                                          "2000",
                                          "end",
                                          "join",
                                          "end"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  for (const RegionCounts& region : run.counts.regions) {
    EXPECT_TRUE(region.counted) << region.name;
    const InstructionCounts& found = region.counts.instructions;
    expect_near(found.loads * kLoadsIn, found.total, 2000 + found.total / (1000 / kPartsBehind));
  }
  EXPECT_EQ(std::count_if(run.counts.regions.begin(), run.counts.regions.end(),
                          [](const RegionCounts& each) { return each.name == "second"; }),
            3);
  EXPECT_GT(readings, 5 * kEvents);
}

TEST_F(RegionsByRdpmc, are_not_read_where_it_gives_other_numbers) {
  const auto [run, readings] = run_with_rdpmc(kRates + "rdpmc 1000000000000\n");
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  expect_proportions(run.counts, 0);
  EXPECT_GT(readings, 0U);
  EXPECT_LE(readings, 2 * kEvents);  // the check alone
}

TEST_F(RegionsByRdpmc, of_events_that_leave_their_counters_are_read_so_no_more) {
  const TemporaryDirectory scratch;
  PmuDouble pmu(kRates + "rdpmc\n");
  HardwareCollector collector("pmu", Division::kPerf, std::vector<EventSet>{skylake()});
  std::size_t readings = 0;
  bool changed = false;
  const Ticker ticker{std::chrono::milliseconds(1), [&] {
                        if (changed || !std::filesystem::exists(scratch / "outside")) return;
                        changed = true;
                        pmu.change(kRates);
                        readings = pmu.counters_read();
                        std::ofstream(scratch / "go on");
                      }};
  const CountedRun run =
      count(collector,
            {program("region_pages_on_double"), "begin", "outer", "begin", "inner", "touch", "2000",
             "end", "mark", scratch / "outside", "wait", scratch / "go on", "end", "begin",
             "second", "touch", "2000", "end"},
            ticker, {}, pmu.environment());
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  expect_proportions(run.counts, kPartsBehind);
  EXPECT_GT(readings, 0U);
  EXPECT_LE(pmu.counters_read(), readings + 1);  // the one that finds the page changed
}

/// kTwice after `words`.
std::vector<std::string> twice_behind(std::vector<std::string> words) {
  words.insert(words.end(), kTwice.begin(), kTwice.end());
  return words;
}

TEST_F(RegionsByRdpmc, leave_a_child_what_it_has_where_its_makers_pages_were) {
  const auto [run, readings] = run_with_rdpmc(
      kRates + "rdpmc\n",
      {program("region_pages_on_double"), "threads", "2", "begin", "outer", "end", "join", "fork",
       "keep", "32", "one-by-one", "40", "begin", "inner", "end", "join", "kept", "join"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_GT(readings, 2 * kEvents);
}

TEST_F(RegionsByRdpmc, take_no_more_than_a_share_of_what_the_program_may_lock) {
  const auto [run, readings] =
      run_with_rdpmc(kRates + "rdpmc\n", twice_behind({"/usr/bin/prlimit", "--memlock=131072"}));
  EXPECT_EQ(readings, 0U);
  expect_proportions(run.counts, 0);
}

TEST_F(RegionsByRdpmc, are_read_in_a_program_with_few_descriptors) {
  const auto [run, readings] =
      run_with_rdpmc(kRates + "rdpmc\n", twice_behind({"/usr/bin/prlimit", "--nofile=256:256"}));
  EXPECT_GT(readings, 7 * kEvents);
  expect_proportions(run.counts, kPartsBehind);
}

TEST_F(RegionsByRdpmc, of_events_that_sample_are_read_otherwise) {
  const auto [run, readings] = run_with_rdpmc(kRates + "rdpmc\n", kTwice, {skylake()},
                                              CountingOptions{.sample_period = 1'000'000});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  expect_proportions(run.counts, 0);
  EXPECT_EQ(readings, 0U);
}

TEST_F(RegionsByRdpmc, of_groups_that_take_turns_are_read_otherwise) {
  const auto [run, readings] = run_with_rdpmc(kRates + "rdpmc\n", kTwice, {skylake_in_turns()});
  EXPECT_EQ(readings, 0U);
  for (const RegionCounts& region : run.counts.regions) EXPECT_TRUE(region.counted);
}

TEST(RegionsOnDouble, are_never_held_by_papi_where_the_program_tells_that_it_has_some) {
  const CountedRun run = run_with(kRates, Division::kDivided, {skylake()});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.threads.front().via, "perf");
  expect_proportions(run.counts, 0);
}

TEST(RegionsOnDouble, of_threads_that_papi_holds_have_entries_and_work_but_no_counts) {
  const CountedRun run = run_with(
      kRates, Division::kPapi, {skylake()},
      {program("region_pages_on_double"), "begin", "r", "touch", "10", "work", "w", "3", "end"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  const RegionCounts& region = row(run.counts, "r");
  EXPECT_FALSE(region.counted);
  EXPECT_EQ(region.entries, 1U);
  EXPECT_EQ(region.work, (Work{{"w", 3}}));
  EXPECT_NE(warning(run.counts, "regions_not_counted").find("--collector perf"), std::string::npos);
}

}  // namespace
}  // namespace bops::pmu
