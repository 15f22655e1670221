// Vector work of every thread on the PMU double: beside the counts of the formula, and alone.
#include <gtest/gtest.h>

#include <algorithm>

#include "counted_run.hpp"
#include "event_sets.hpp"
#include "tests/doubles/pmu/event_rules.hpp"
#include "tests/doubles/pmu/pmu_double.hpp"

namespace bops::pmu {
namespace {

/// With vector events, of another type where a test treats them apart.
EventSet with_vectors(std::uint32_t vector_type = PERF_TYPE_RAW) {
  EventSet set = skylake();
  set.vector_events = {{raw(0x3c7, 1, vector_type), 1, "scalar"},
                       {raw(0x10c7, 1, vector_type), 4, "256-bit packed double"},
                       {raw(0x20c7, 1, vector_type), 8, "256-bit packed single"}};
  set.vector_groups = {{0, 1}, {2}};
  return set;
}

std::string rules(const EventSet& set) {
  return "types 0 3 4 10\n" + event_rules(set) +
         "thread worker-* instructions=1000*index loads=100*index stores=10*index "
         "branches=20*index vector0=50*index vector1=7*index vector2=3*index\n"
         "thread * instructions=90000 loads=1 stores=1 branches=1 vector0=5 vector1=6 vector2=7\n";
}

constexpr std::uint64_t kSumOfIndices = 40 * 41 / 2;
constexpr std::uint64_t kScalar = 50 * kSumOfIndices + 5;
constexpr std::uint64_t kDoubles = 7 * kSumOfIndices + 6;
constexpr std::uint64_t kSingles = 3 * kSumOfIndices + 7;

const std::vector<std::string> kForty{program("threads"), "40", "20000"};
const CountingOptions kBeside{.vector = VectorCounting::kBeside};

/// What a warning of that code says; empty without one.
std::string warning(const RunCounts& counts, std::string_view code) {
  for (const Warning& each : counts.warnings)
    if (each.code == code) return each.message;
  return {};
}

std::string not_estimated(const RunCounts& counts) {
  return warning(counts, "vector_work_not_estimated");
}

class EachWayOfVectors : public ::testing::TestWithParam<Division> {};

TEST_P(EachWayOfVectors, is_estimated_from_the_sum_over_all_threads) {
  const PmuDouble pmu(rules(with_vectors()));
  HardwareCollector collector("pmu", GetParam(), std::vector{with_vectors()});
  const CountedRun run = count(collector, kForty, {}, kBeside);
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  EXPECT_EQ(run.counts.totals().instructions.total, 1000 * kSumOfIndices + 90000);
  ASSERT_TRUE(run.counts.operations_estimate) << not_estimated(run.counts);
  const OperationsEstimate& estimate = *run.counts.operations_estimate;
  EXPECT_EQ(estimate.operations_estimate, kScalar + 4 * kDoubles + 8 * kSingles);
  EXPECT_EQ(estimate.further_runs, 0U);
  ASSERT_EQ(estimate.events.size(), 3U);
  EXPECT_EQ(estimate.events[1].event, "r10c7");
  EXPECT_EQ(estimate.events[1].count, kDoubles);
  EXPECT_EQ(estimate.events[1].operations, 4 * kDoubles);
}

TEST_P(EachWayOfVectors, is_in_no_run_that_did_not_ask_for_it) {
  const PmuDouble pmu(rules(with_vectors()));
  HardwareCollector collector("pmu", GetParam(), std::vector{with_vectors()});
  ASSERT_TRUE(count(collector, kForty, {}, kBeside).counts.operations_estimate);
  const CountedRun run = count(collector, kForty);
  EXPECT_FALSE(run.counts.operations_estimate);
  EXPECT_EQ(not_estimated(run.counts), "");
}

INSTANTIATE_TEST_SUITE_P(Ways, EachWayOfVectors,
                         ::testing::Values(Division::kPerf, Division::kPapi, Division::kDivided),
                         [](const auto& test) {
                           switch (test.param) {
                             case Division::kPerf: return "perf";
                             case Division::kPapi: return "papi";
                             case Division::kDivided: break;
                           }
                           return "divided";
                         });

TEST(VectorWork, alone_is_counted_group_by_group_and_nothing_else_with_it) {
  const PmuDouble pmu(rules(with_vectors()));
  HardwareCollector collector("perf", Division::kPerf, std::vector{with_vectors()});
  ASSERT_EQ(collector.vector_runs(), 2U);
  OperationsEstimate sum;
  for (const bool follow : {true, false}) {
    const CountedRun run =
        count(collector, kForty, {}, {.follow = follow, .vector = VectorCounting::kAlone});
    ASSERT_FALSE(run.refused) << run.refused->message;
    EXPECT_EQ(run.counts.quality, Quality::kMissing);
    EXPECT_EQ(run.counts.totals().instructions, InstructionCounts{});
  }
  for (std::size_t which = 0; which < 2; ++which) {
    const CountedRun run =
        count(collector, kForty, {}, {.vector = VectorCounting::kAlone, .vector_run = which});
    ASSERT_TRUE(run.counts.operations_estimate) << not_estimated(run.counts);
    EXPECT_EQ(run.counts.operations_estimate->events.size(), which == 0 ? 2U : 1U);
    sum += *run.counts.operations_estimate;
  }
  EXPECT_EQ(sum.operations_estimate, kScalar + 4 * kDoubles + 8 * kSingles);
}

TEST(VectorWork, that_does_not_fit_beside_the_formula_is_refused_and_a_second_run_offered) {
  EventSet set = with_vectors();
  set.general_counters = 5;  // three of them for loads, stores and branches
  const PmuDouble pmu(rules(set));
  HardwareCollector collector("perf", Division::kPerf, std::vector{set});
  const auto refused = collector.configure(kBeside);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("need 6 counters"), std::string::npos)
      << refused.error().message;
  EXPECT_NE(refused.error().remedy.find("--vector=second-run"), std::string::npos);
  EXPECT_TRUE(collector.configure({.vector = VectorCounting::kAlone}));
}

TEST(VectorWork, never_takes_turns_with_groups_that_do_already) {
  EventSet set = with_vectors();
  set.groups = {{Role::kInstructions, Role::kLoads, Role::kStores},
                {Role::kInstructions, Role::kBranches}};
  HardwareCollector collector("perf", Division::kPerf, std::vector{set});
  const auto refused = collector.configure(kBeside);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("take turns"), std::string::npos);
}

TEST(VectorWork, takes_the_counter_of_cycles_where_it_needs_it_and_says_so) {
  EventSet set = with_vectors();
  set.cycles = raw(0x76);
  set.groups.front().push_back(Role::kCycles);
  const auto run_with = [&](std::uint32_t counters) {
    set.general_counters = counters;
    const PmuDouble pmu(rules(set) + "counters " + std::to_string(counters) + "\n");
    HardwareCollector collector("perf", Division::kPerf, std::vector{set});
    return count(collector, kForty, {}, kBeside);
  };
  const CountedRun roomy = run_with(7), tight = run_with(6);
  ASSERT_TRUE(roomy.counts.operations_estimate) << not_estimated(roomy.counts);
  ASSERT_TRUE(tight.counts.operations_estimate) << not_estimated(tight.counts);
  EXPECT_EQ(*roomy.counts.operations_estimate, *tight.counts.operations_estimate);
  EXPECT_TRUE(roomy.counts.cycles);
  EXPECT_FALSE(tight.counts.cycles);
  EXPECT_NE(warning(tight.counts, "cycles_not_measured"), "");
}

TEST(VectorWork, of_a_cpu_without_such_events_is_refused_with_the_tables_reason) {
  EventSet set = with_vectors();
  set.vector_events.clear();
  set.vector_groups.clear();
  set.vector_note = "this core has none";
  for (const auto& sets : {std::vector{set}, std::vector{with_vectors(), set}}) {
    HardwareCollector collector("perf", Division::kPerf, sets);
    for (const VectorCounting way : {VectorCounting::kBeside, VectorCounting::kAlone}) {
      const auto refused = collector.configure({.vector = way});
      ASSERT_FALSE(refused);
      EXPECT_NE(refused.error().message.find("this core has none"), std::string::npos);
    }
  }
}

TEST(VectorWork, counted_part_of_the_time_is_no_estimate_and_leaves_the_counts_alone) {
  const EventSet set = with_vectors(kSecondPmu);
  for (const char* share : {"0", "50"}) {
    const PmuDouble pmu(rules(set) + "running " + share + " type=10 thread=worker-7\n");
    HardwareCollector collector("perf", Division::kPerf, std::vector{set});
    const CountedRun run = count(collector, kForty, {}, kBeside);
    EXPECT_EQ(run.counts.quality, Quality::kExact);
    EXPECT_EQ(run.counts.totals().instructions.total, 1000 * kSumOfIndices + 90000);
    EXPECT_FALSE(run.counts.operations_estimate);
    EXPECT_NE(not_estimated(run.counts).find("1 threads"), std::string::npos)
        << not_estimated(run.counts);
  }
}

TEST(VectorWork, that_cannot_be_opened_is_no_estimate_and_leaves_the_counts_alone) {
  const PmuDouble pmu(rules(with_vectors()) + "error EINVAL config=0x20c7\n");
  HardwareCollector collector("perf", Division::kPerf, std::vector{with_vectors()});
  const CountedRun run = count(collector, kForty, {}, kBeside);
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  EXPECT_EQ(run.counts.totals().instructions.total, 1000 * kSumOfIndices + 90000);
  EXPECT_FALSE(run.counts.operations_estimate);
  EXPECT_NE(not_estimated(run.counts).find("41 threads"), std::string::npos);
}

TEST(VectorWork, of_both_kinds_of_core_is_summed) {
  EventSet atom = with_vectors(kSecondPmu);
  for (Event* event : {&atom.instructions, &atom.loads, &atom.stores, &atom.branches})
    event->type = kSecondPmu;
  const PmuDouble pmu("types 0 3 4 10\n" + event_rules(with_vectors()) + event_rules(atom) +
                      "thread * instructions=1000 vector0=1000 vector1=1000 vector2=1000\n"
                      "running 70 type=4\nrunning 30 type=10\n");
  HardwareCollector collector("perf", Division::kPerf, std::vector{with_vectors(), atom});
  const CountedRun run = count(collector, {program("busy_loop"), "1000000"}, {}, kBeside);
  ASSERT_TRUE(run.counts.operations_estimate) << not_estimated(run.counts);
  EXPECT_NEAR(static_cast<double>(run.counts.operations_estimate->operations_estimate), 13000, 26);
}

TEST(VectorWork, of_an_image_before_and_after_execve_is_counted_once) {
  const PmuDouble pmu(event_rules(with_vectors()) +
                      "thread * instructions=1000 loads=1 vector0=10 vector1=0 vector2=0\n");
  HardwareCollector collector("perf", Division::kPerf, std::vector{with_vectors()});
  const CountedRun run = count(collector, {program("process_tree"), "2", "2"}, {}, kBeside);
  ASSERT_TRUE(run.counts.operations_estimate) << not_estimated(run.counts);
  EXPECT_EQ(run.counts.operations_estimate->operations_estimate * 100,
            run.counts.totals().instructions.total);
}

TEST(VectorWork, by_inheritance_is_the_sum_over_the_tree) {
  const PmuDouble pmu(event_rules(with_vectors()) +
                      "thread * instructions=1000/us loads=10/us vector0=1000/us\n");
  HardwareCollector collector("perf", Division::kPerf, std::vector{with_vectors()});
  const CountedRun run = count(collector, {program("threads"), "4", "30000000"}, {},
                               {.follow = false, .vector = VectorCounting::kBeside});
  ASSERT_TRUE(run.counts.operations_estimate) << not_estimated(run.counts);
  const auto instructions = static_cast<double>(run.counts.totals().instructions.total);
  EXPECT_GT(instructions, 1e6);
  EXPECT_NEAR(static_cast<double>(run.counts.operations_estimate->operations_estimate),
              instructions, instructions * 0.05);
}

}  // namespace
}  // namespace bops::pmu
