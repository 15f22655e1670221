// The collectors of hardware counters on the PMU double: PAPI's real code and perf groups.
#include <gtest/gtest.h>
#include <papi.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include "collectors/pmu/group_sum.hpp"
#include "counted_run.hpp"
#include "event_sets.hpp"
#include "tests/doubles/pmu/pmu_double.hpp"

namespace bops::pmu {
namespace {

std::vector<EventSet> one_group() {
  return {skylake()};
}

std::vector<EventSet> two_groups() {
  return {skylake_in_turns()};
}

std::vector<EventSet> hybrid() {
  return {skylake(), skylake(kSecondPmu)};
}

const std::string kEvents = PmuDouble::skylake_events();
const std::string kWorkers =
    kEvents +
    "thread worker-* instructions=100000*index+7 loads=20000*index+5 stores=3000*index+3 "
    "branches=400*index+1 kernel:instructions=11 kernel:loads=1\n"
    "thread * instructions=900000 loads=10000 stores=5000 branches=3000 kernel:instructions=11\n";

InstructionCounts worker(std::uint64_t index) {
  return {100000 * index + 7, 20000 * index + 5, 3000 * index + 3, 400 * index + 1};
}

const std::vector<std::string> kForty{program("threads"), "40", "20000"};

std::map<std::uint64_t, ThreadCounts> workers(const RunCounts& counts) {
  std::map<std::uint64_t, ThreadCounts> found;
  for (const ThreadCounts& thread : counts.threads) {
    if (!thread.name.starts_with("worker-")) continue;
    EXPECT_TRUE(found.emplace(std::stoull(thread.name.substr(7)), thread).second) << "double";
  }
  return found;
}

bool has_warning(const RunCounts& counts, std::string_view code, std::string_view words = "") {
  return std::any_of(counts.warnings.begin(), counts.warnings.end(), [&](const Warning& warning) {
    return warning.code == code && warning.message.find(words) != std::string::npos;
  });
}

class EachWay : public ::testing::TestWithParam<Division> {};

TEST_P(EachWay, misses_no_thread_that_is_killed_at_its_start) {
  const PmuDouble pmu(kWorkers);
  HardwareCollector collector("pmu", GetParam(), one_group());
  // A thread that is killed while it is let go on cannot be told from one that was not counted:
  // once in some thousand runs.
  for (int attempt = 0; attempt < 2; ++attempt) {
    const CountedRun run = count(collector, {program("exit_race"), "60"});
    ASSERT_FALSE(run.refused) << run.refused->message;
    EXPECT_EQ(run.counts.processes.size(), 61U);
    if (attempt == 0 && has_warning(run.counts, "threads_uncounted")) continue;
    EXPECT_EQ(run.counts.quality, Quality::kExact);
    for (const Warning& warning : run.counts.warnings)
      EXPECT_NE(warning.code, "threads_uncounted") << warning.message;
    return;
  }
}

TEST_P(EachWay, gives_forty_threads_each_their_own_counts) {
  const PmuDouble pmu(kWorkers);
  HardwareCollector collector("pmu", GetParam(), one_group());
  const CountedRun run = count(collector, kForty);
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  EXPECT_TRUE(has_warning(run.counts, "hardware_margin", "0.1 %"));
  const auto found = workers(run.counts);
  ASSERT_EQ(found.size(), 40U);
  InstructionCounts sum{900000, 10000, 5000, 3000};
  for (const auto& [index, thread] : found) {
    EXPECT_EQ(thread.counts.instructions, worker(index)) << index;
    EXPECT_EQ(thread.via, GetParam() == Division::kPerf ? "perf" : "papi");
    sum += worker(index);
  }
  EXPECT_EQ(run.counts.totals().instructions, sum);
}

TEST_P(EachWay, counts_a_second_run_like_the_first) {
  const PmuDouble pmu(kWorkers);
  HardwareCollector collector("pmu", GetParam(), one_group());
  const Counts first = count(collector, kForty).counts.totals();
  EXPECT_EQ(count(collector, kForty).counts.totals(), first);
}

TEST_P(EachWay, counts_the_kernel_only_if_asked_to) {
  const PmuDouble pmu(kWorkers);
  HardwareCollector collector("pmu", GetParam(), one_group());
  const std::uint64_t user = count(collector, kForty).counts.totals().instructions.total;
  const CountedRun both = count(collector, kForty, {}, {.with_kernel = true});
  ASSERT_FALSE(both.refused) << both.refused->message;
  EXPECT_EQ(both.counts.totals().instructions.total, user + 41U * 11U);
  EXPECT_EQ(collector.info().scope, "user+kernel");
}

TEST_P(EachWay, never_shows_counters_that_were_never_scheduled_as_zero) {
  const PmuDouble pmu(kWorkers + "running 0 thread=worker-7\n");
  HardwareCollector collector("pmu", GetParam(), one_group());
  const CountedRun run = count(collector, kForty);
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.quality, Quality::kPartial);
  EXPECT_TRUE(has_warning(run.counts, "threads_uncounted", "1 threads"));
  for (const auto& [index, thread] : workers(run.counts))
    EXPECT_EQ(thread.counted, index != 7) << index;
}

INSTANTIATE_TEST_SUITE_P(Ways, EachWay,
                         ::testing::Values(Division::kPerf, Division::kPapi, Division::kDivided),
                         [](const auto& test) {
                           switch (test.param) {
                             case Division::kPerf: return "perf";
                             case Division::kPapi: return "papi";
                             case Division::kDivided: break;
                           }
                           return "divided";
                         });

TEST(Divided, PAPI_counts_the_first_threads_and_perf_the_others) {
  const PmuDouble pmu(kWorkers);
  HardwareCollector collector("pmu", Division::kDivided, one_group());
  const CountedRun run = count(collector, {program("threads"), "300", "1000"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  std::map<std::string, std::size_t> ways;
  for (const ThreadCounts& thread : run.counts.threads) ++ways[thread.via];
  EXPECT_EQ(ways["papi"], 256U);
  EXPECT_EQ(ways["perf"], 45U);
  for (const auto& [index, thread] : workers(run.counts))
    EXPECT_EQ(thread.counts.instructions, worker(index));
}

TEST(Divided, running_threads_are_left_to_perf_where_PAPI_reads_them_wrong) {
  const PmuDouble pmu(kWorkers);
  HardwareCollector divided("pmu", Division::kDivided, one_group());
  HardwareCollector papi("papi", Division::kPapi, one_group());
  const CountedRun run = count(divided, kForty, {}, {.snapshots = true});
  const CountedRun refused = count(papi, kForty, {}, {.snapshots = true});
  const bool reads = PAPI_VERSION >= PAPI_VERSION_NUMBER(7, 1, 0, 0);
  for (const auto& [index, thread] : workers(run.counts))
    EXPECT_EQ(thread.via, reads ? "papi" : "perf");
  EXPECT_EQ(refused.refused.has_value(), !reads);
}

TEST(Perf, groups_that_take_turns_are_scaled_and_said_to_be) {
  const PmuDouble pmu(kWorkers + "running 50\n");
  HardwareCollector collector("perf", Division::kPerf, two_groups());
  const CountedRun run = count(collector, kForty);
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.quality, Quality::kScaled);
  EXPECT_TRUE(has_warning(run.counts, "counts_scaled", "41 threads"));
  for (const auto& [index, thread] : workers(run.counts)) {
    const InstructionCounts expected = worker(index);
    const auto near = [&](std::uint64_t counted, std::uint64_t whole) {
      EXPECT_NEAR(static_cast<double>(counted), static_cast<double>(whole),
                  static_cast<double>(whole) * 0.001 + 4);
    };
    near(thread.counts.instructions.total, expected.total);
    near(thread.counts.instructions.loads, expected.loads);
    near(thread.counts.instructions.branches, expected.branches);
  }
}

TEST(Perf, groups_that_need_no_turns_are_exact) {
  const PmuDouble pmu(kWorkers);
  HardwareCollector collector("perf", Division::kPerf, two_groups());
  const CountedRun run = count(collector, kForty);
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  for (const auto& [index, thread] : workers(run.counts))
    EXPECT_EQ(thread.counts.instructions, worker(index));
}

const std::string kTwoPmus =
    kWorkers +
    "types 0 3 4 10\nevent instructions 10 0xc0\nevent loads 10 0x81d0\nevent stores 10 0x82d0\n"
    "event branches 10 0xc4\n";

TEST(Perf, both_kinds_of_core_of_a_hybrid_are_summed_and_not_scaled) {
  const PmuDouble pmu(kTwoPmus + "running 70 type=4\nrunning 30 type=10\n");
  HardwareCollector collector("perf", Division::kPerf, hybrid());
  const CountedRun run = count(collector, kForty);
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  for (const auto& [index, thread] : workers(run.counts))
    EXPECT_NEAR(static_cast<double>(thread.counts.instructions.total),
                static_cast<double>(worker(index).total), 2);
}

/// Readings of the first groups of `sets`: all instructions `value`, and times.
Reading sum_of(const std::vector<EventSet>& sets,
               const std::vector<std::array<std::uint64_t, 3>>& values) {
  std::vector<GroupReading> groups;
  for (std::size_t i = 0; i < values.size(); ++i)
    groups.push_back({sets.size() > 1 ? i : 0,
                      &sets[sets.size() > 1 ? i : 0].groups[sets.size() > 1 ? 0 : i],
                      values[i][1],
                      values[i][2],
                      {values[i][0]}});
  return sum_groups(sets, groups);
}

TEST(Witness, tells_a_group_that_was_lost_from_one_that_counted_as_long_as_it) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  EXPECT_FALSE(was_lost(kSecond, kSecond));
  EXPECT_FALSE(was_lost(kSecond, kSecond - 1)) << "read a moment before the group";
  EXPECT_FALSE(was_lost(0, 0)) << "a thread that never ran";
  EXPECT_TRUE(was_lost(0, 5000)) << "lost when the thread first ran";
  EXPECT_TRUE(was_lost(kSecond - kSecond / 500, kSecond));
}

TEST(GroupSum, a_thread_that_stayed_on_one_kind_of_core_is_whole) {
  const Reading reading = sum_of(hybrid(), {{1000, 500, 500}, {0, 500, 0}});
  EXPECT_EQ(reading.state, Reading::State::kWhole);
  EXPECT_EQ(reading.counts.total, 1000U);
}

TEST(GroupSum, groups_enabled_and_read_a_moment_apart_are_whole) {
  CountedShare share(2);
  EXPECT_EQ(share.of_the_time(), 1);  // has not run
  share.add(0, 1000, 1000);
  share.add(0, 400, 400);
  EXPECT_TRUE(share.is_whole());
  share.add(0, 400, 300);
  EXPECT_DOUBLE_EQ(share.of_the_time(), 0.75);
  EXPECT_FALSE(share.is_whole());
  share.add(1, 400, 100);
  EXPECT_TRUE(share.is_whole());
}

TEST(GroupSum, time_that_no_kind_of_core_counted_is_extrapolated_from_both) {
  const Reading reading = sum_of(hybrid(), {{1000, 1000, 300}, {200, 1000, 300}});
  EXPECT_EQ(reading.state, Reading::State::kScaled);
  EXPECT_EQ(reading.counts.total, 2000U);
  EXPECT_DOUBLE_EQ(reading.share, 0.6);
}

TEST(GroupSum, a_thread_on_no_counted_core_was_never_scheduled) {
  EXPECT_EQ(sum_of(hybrid(), {{0, 500, 0}, {0, 500, 0}}).state, Reading::State::kNeverScheduled);
  EXPECT_EQ(sum_of(one_group(), {{0, 500, 0}}).state, Reading::State::kNeverScheduled);
}

TEST(GroupSum, a_thread_that_never_ran_has_executed_nothing) {
  const Reading reading = sum_of(one_group(), {{0, 0, 0}});
  EXPECT_EQ(reading.state, Reading::State::kWhole);
  EXPECT_EQ(reading.counts, InstructionCounts{});
}

TEST(GroupSum, one_of_two_groups_that_never_ran_leaves_nothing_to_say) {
  EXPECT_EQ(sum_of(two_groups(), {{1000, 500, 500}, {0, 500, 0}}).state,
            Reading::State::kNeverScheduled);
}

TEST(GroupSum, large_counts_are_scaled_without_overflow) {
  constexpr std::uint64_t kLarge = 1ULL << 60U;
  const Reading reading = sum_of(one_group(), {{kLarge, 8'000'000'000, 4'000'000'000}});
  EXPECT_EQ(reading.counts.total, 2 * kLarge);
}

TEST(Papi, what_it_cannot_count_is_refused_with_a_remedy) {
  const PmuDouble pmu(kTwoPmus);
  for (const auto& sets : {two_groups(), hybrid()}) {
    const Probe probe = HardwareCollector("papi", Division::kPapi, sets).probe();
    EXPECT_FALSE(probe.usable);
    EXPECT_NE(probe.remedy.find("--collector perf"), std::string::npos);
    HardwareCollector divided("pmu", Division::kDivided, sets);
    const CountedRun run = count(divided, {program("exit_with"), "0"});
    ASSERT_FALSE(run.refused) << run.refused->message;
    EXPECT_EQ(run.counts.threads.front().via, "perf");
  }
}

TEST_P(EachWay, gives_threads_without_descriptors_no_counts) {
  const PmuDouble pmu(kWorkers + "error EMFILE after=60\n");
  HardwareCollector collector("pmu", GetParam(), one_group());
  const CountedRun run = count(collector, kForty);
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_EQ(run.counts.threads.size(), 41U);
  EXPECT_EQ(run.counts.quality, Quality::kPartial);
  EXPECT_TRUE(has_warning(run.counts, "threads_uncounted"));
}

TEST(Papi, events_that_do_not_fit_together_are_missing_with_the_reason) {
  const PmuDouble pmu(kWorkers + "counters 2\n");  // loads, stores and branches need three
  HardwareCollector collector("papi", Division::kPapi, one_group());
  const CountedRun run = count(collector, {program("exit_with"), "3"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.end.exit.code, 3);
  EXPECT_EQ(run.counts.quality, Quality::kMissing);
  EXPECT_TRUE(has_warning(run.counts, "threads_uncounted", "count these events together"));
  EXPECT_TRUE(has_warning(run.counts, "threads_uncounted", "--collector perf"));
}

TEST(Perf, threads_that_cannot_be_opened_are_missing_with_the_reason) {
  const PmuDouble pmu(kWorkers + "error EMFILE after=100\n");
  HardwareCollector collector("perf", Division::kPerf, one_group());
  const CountedRun run = count(collector, kForty);
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_EQ(run.counts.threads.size(), 41U);
  EXPECT_EQ(run.counts.quality, Quality::kPartial);
  std::size_t uncounted = 0;
  for (const ThreadCounts& thread : run.counts.threads) uncounted += thread.counted ? 0 : 1;
  EXPECT_EQ(uncounted, 16U);  // 25 threads have 4 events each
  EXPECT_TRUE(has_warning(run.counts, "threads_uncounted", std::to_string(uncounted) + " threads"));
  EXPECT_TRUE(has_warning(run.counts, "threads_uncounted", "ulimit -Hn"));
}

TEST(Perf, an_inherited_count_is_the_sum_over_the_tree) {
  const PmuDouble pmu(kEvents + "thread * instructions=1000/us loads=10/us\n");
  HardwareCollector collector("perf", Division::kPerf, one_group());
  const CountedRun run =
      count(collector, {program("threads"), "4", "30000000"}, {}, {.follow = false});
  ASSERT_FALSE(run.refused) << run.refused->message;
  ASSERT_EQ(run.counts.threads.size(), 1U);
  const double cpu_us = static_cast<double>(run.end.resource_usage.user_cpu_ns +
                                            run.end.resource_usage.system_cpu_ns) /
                        1000;
  EXPECT_NEAR(static_cast<double>(run.counts.totals().instructions.total), cpu_us * 1000,
              cpu_us * 1000 * 0.3);
}

TEST(Perf, snapshots_of_running_threads_grow) {
  const PmuDouble pmu(kEvents + "thread * instructions=1000/us loads=10/us\n");
  HardwareCollector collector("perf", Division::kPerf, one_group());
  std::vector<std::uint64_t> totals;
  const Ticker ticker{std::chrono::milliseconds(10),
                      [&] { totals.push_back(collector.snapshot()->totals().instructions.total); }};
  const CountedRun run =
      count(collector, {program("busy_loop"), "200000000"}, ticker, {.snapshots = true});
  totals.push_back(run.counts.totals().instructions.total);
  EXPECT_GE(totals.size(), 3U);
  EXPECT_TRUE(std::is_sorted(totals.begin(), totals.end()));
  EXPECT_LT(totals.front(), totals.back());
}

using Refusal = std::tuple<std::string, std::string, std::string>;  // rule, reason, remedy
class Refused : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refused, is_explained_with_a_remedy) {
  const auto& [rule, reason, remedy] = GetParam();
  const PmuDouble pmu(kWorkers + "error " + rule + "\n");
  HardwareCollector collector("perf", Division::kPerf, one_group());
  const Probe probe = collector.probe();
  EXPECT_FALSE(probe.usable);
  EXPECT_NE(probe.reason.find(reason), std::string::npos) << probe.reason;
  EXPECT_NE(probe.remedy.find(remedy), std::string::npos) << probe.remedy;
  const CountedRun run = count(collector, kForty);
  ASSERT_TRUE(run.refused);
  EXPECT_EQ(run.refused->message, probe.reason);
}

INSTANTIATE_TEST_SUITE_P(
    Errors, Refused,
    ::testing::Values(Refusal{"ENOENT", "(perf_event_open: ENOENT)", ""},
                      Refusal{"EACCES", "kernel.perf_event_paranoid", "setcap cap_perfmon"},
                      Refusal{"EPERM", "not permitted", "as root"},
                      Refusal{"EMFILE", "files open", "ulimit -Hn"},
                      Refusal{"ENFILE", "files open", "fs.file-max"},
                      Refusal{"ENOSYS", "no perf_event_open", "CONFIG_PERF_EVENTS"},
                      Refusal{"EBUSY", "another user", "profiler"},
                      Refusal{"EINVAL", "Invalid argument", "bops doctor"}),
    [](const auto& test) { return std::get<0>(test.param); });

TEST_P(EachWay, refuses_the_kernels_part_before_the_target_starts) {
  const PmuDouble pmu(kWorkers + "error EACCES kernel\n");
  HardwareCollector collector("pmu", GetParam(), one_group());
  EXPECT_TRUE(collector.probe().usable);
  EXPECT_FALSE(count(collector, kForty).refused);
  const CountedRun run = count(collector, kForty, {}, {.with_kernel = true});
  ASSERT_TRUE(run.refused);
  EXPECT_NE(run.refused->message.find("perf_event_paranoid"), std::string::npos);
}

TEST(Units, that_are_not_retired_instructions_make_the_count_approximate) {
  const PmuDouble pmu(kWorkers);
  auto sets = one_group();
  sets[0].loads.unit = sets[0].stores.unit = EventUnit::kDispatchedOps;
  HardwareCollector collector("perf", Division::kPerf, sets);
  EXPECT_EQ(collector.info().unit, "dispatched_ops");
  const CountedRun run = count(collector, kForty);
  EXPECT_EQ(run.counts.quality, Quality::kApproximate);
  EXPECT_TRUE(has_warning(run.counts, "units_of_counts", "loads and stores are counted in"));
}

}  // namespace
}  // namespace bops::pmu
