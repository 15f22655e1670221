// Regions counted by the thread's own counters, read by the region library itself: with page
// faults, which a program decides itself, and no double.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "counted_run.hpp"

namespace bops::pmu {
namespace {

/// Faults of a thread in a region that are not its pages': those of the library's first calls, of
/// the stack, of the allocator.
constexpr std::uint64_t kOwnFaults = 24;

using Words = std::vector<std::string>;

CountedRun run_words(const Words& words, const CountingOptions& options = {}) {
  Words command{program("region_pages")};
  command.insert(command.end(), words.begin(), words.end());
  return count_faults(command, options);
}

std::vector<RegionCounts> named(const RunCounts& counts, const std::string& name) {
  std::vector<RegionCounts> rows;
  std::copy_if(counts.regions.begin(), counts.regions.end(), std::back_inserter(rows),
               [&name](const RegionCounts& row) { return row.name == name; });
  return rows;
}

/// The only row of that name.
RegionCounts one(const RunCounts& counts, const std::string& name) {
  const std::vector<RegionCounts> rows = named(counts, name);
  EXPECT_EQ(rows.size(), 1U) << name;
  return rows.empty() ? RegionCounts{} : rows.front();
}

std::uint64_t faults(const RegionCounts& row) {
  EXPECT_TRUE(row.counted) << row.name;
  return row.counts.instructions.total;
}

void expect_pages(const RegionCounts& row, std::uint64_t pages) {
  EXPECT_GE(faults(row), pages) << row.name;
  EXPECT_LE(faults(row), pages + kOwnFaults) << row.name;
}

/// Each row is of a thread of the run, and no more than it.
void expect_parts_of_threads(const RunCounts& counts) {
  for (const RegionCounts& row : counts.regions) {
    const auto thread = std::find_if(
        counts.threads.begin(), counts.threads.end(), [&row](const ThreadCounts& candidate) {
          return candidate.tid == row.tid && candidate.pid == row.pid &&
                 candidate.start_ns == row.thread_start_ns;
        });
    ASSERT_NE(thread, counts.threads.end()) << row.name;
    EXPECT_LE(row.counts.instructions.total, thread->counts.instructions.total) << row.name;
  }
}

std::string warning(const RunCounts& counts, std::string_view code) {
  for (const Warning& each : counts.warnings)
    if (each.code == code) return each.message;
  return {};
}

TEST(Regions, have_the_faults_between_their_begins_and_ends_and_those_nested_in_them) {
  const CountedRun run =
      run_words({"touch", "1000",  "begin", "outer",  "touch", "100",   "begin", "inner",
                 "touch", "400",   "work",  "tokens", "7",     "end",   "touch", "30",
                 "begin", "inner", "touch", "60",     "end",   "end",   "touch", "2000",
                 "work",  "files", "3",     "begin",  "outer", "touch", "500",   "end"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  const RegionCounts outer = one(run.counts, "outer"), inner = one(run.counts, "inner");
  expect_pages(inner, 460);
  expect_pages(outer, 100 + 400 + 30 + 60 + 500);
  EXPECT_EQ(outer.entries, 2U);
  EXPECT_EQ(inner.entries, 2U);
  EXPECT_EQ(outer.work, (Work{{"tokens", 7}}));
  EXPECT_EQ(run.counts.total_work(), (Work{{"files", 3}, {"tokens", 7}}));
  for (const RegionCounts& row : run.counts.regions)
    EXPECT_EQ(row.counts.instructions.total,
              row.counts.instructions.loads + row.counts.instructions.stores);
  expect_parts_of_threads(run.counts);
  EXPECT_EQ(warning(run.counts, "regions_not_counted"), "");
}

TEST(Regions, that_follow_one_another_sum_with_the_rest_to_their_thread) {
  const CountedRun run = run_words({"begin", "a", "touch", "100", "end", "touch", "1000", "begin",
                                    "b", "touch", "200", "end", "begin", "c", "touch", "300"});
  std::uint64_t sum = 0;
  for (const char* name : {"a", "b", "c"}) sum += faults(one(run.counts, name));
  const std::uint64_t thread = run.counts.threads.front().counts.instructions.total;
  EXPECT_GE(thread, sum + 1000);
  expect_pages(one(run.counts, "a"), 100);
  expect_pages(one(run.counts, "b"), 200);
  EXPECT_GE(faults(one(run.counts, "c")), 300U) << "open to the end";
}

TEST(Regions, inside_themselves_count_once) {
  const CountedRun run =
      run_words({"begin", "r", "touch", "10", "begin", "r", "touch", "20", "begin", "other",
                 "begin", "r", "touch", "40", "end", "end", "end", "end"});
  expect_pages(one(run.counts, "r"), 70);
  EXPECT_EQ(one(run.counts, "r").entries, 3U);
  expect_pages(one(run.counts, "other"), 40);
}

TEST(Regions, of_forty_threads_are_each_their_own) {
  const CountedRun run = run_words({"threads", "40", "begin", "shared", "touch-each", "20", "work",
                                    "items", "2", "end", "touch", "500", "join"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.end.exit.code, 0);
  std::vector<RegionCounts> rows = named(run.counts, "shared");
  ASSERT_EQ(rows.size(), 40U);
  std::sort(rows.begin(), rows.end(), [](const RegionCounts& a, const RegionCounts& b) {
    return a.counts.instructions.total < b.counts.instructions.total;
  });
  for (std::size_t i = 0; i < rows.size(); ++i) expect_pages(rows[i], 20 * (i + 1));
  EXPECT_EQ(run.counts.total_work(), (Work{{"items", 80}}));
  expect_parts_of_threads(run.counts);
}

TEST(Regions, of_threads_that_come_and_go_take_no_descriptors_from_the_program) {
  const CountedRun run = run_words({"limit", "256", "one-by-one", "600", "begin", "r", "touch", "3",
                                    "end", "join", "files", "180"});
  EXPECT_EQ(run.end.exit.code, 0);
  const std::vector<RegionCounts> rows = named(run.counts, "r");
  ASSERT_EQ(rows.size(), 600U);
  for (const RegionCounts& row : rows) expect_pages(row, 3);
}

TEST(Regions, of_a_program_without_descriptors_to_spare_are_missing_and_said_to_be) {
  // 5: the socket and the area find room, the counters do not.
  CountedRun run = run_words({"limit", "5", "begin", "r", "touch", "3", "work", "w", "2", "end"});
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_FALSE(one(run.counts, "r").counted);
  EXPECT_EQ(one(run.counts, "r").entries, 1U);
  EXPECT_EQ(one(run.counts, "r").work, (Work{{"w", 2}}));
  EXPECT_NE(warning(run.counts, "regions_not_counted").find("ulimit -n"), std::string::npos);
  // 4: the area does not find room either.
  run = run_words({"limit", "4", "begin", "r", "touch", "3", "end"});
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_TRUE(run.counts.regions.empty());
  EXPECT_NE(warning(run.counts, "regions_not_counted").find("could not take"), std::string::npos);
}

TEST(Regions, of_a_child_are_its_own_and_those_open_at_the_fork_go_on_in_it) {
  const CountedRun run =
      run_words({"begin", "parents", "touch", "100", "fork", "touch", "300", "begin", "childs",
                 "touch", "50", "end", "join", "end", "touch", "1000"});
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_EQ(run.counts.threads.size(), 2U);
  expect_pages(one(run.counts, "childs"), 50);
  const std::vector<RegionCounts> rows = named(run.counts, "parents");
  ASSERT_EQ(rows.size(), 2U);
  const RegionCounts& parent = rows[0].entries == 1 ? rows[0] : rows[1];
  const RegionCounts& child = rows[0].entries == 1 ? rows[1] : rows[0];
  EXPECT_EQ(parent.entries, 1U);
  EXPECT_EQ(child.entries, 0U);
  EXPECT_NE(parent.pid, child.pid);
  EXPECT_EQ(child.pid, one(run.counts, "childs").pid);
  EXPECT_GE(faults(child), 350U);
  EXPECT_LT(faults(parent), 100U + 300U);
  expect_parts_of_threads(run.counts);
}

TEST(Regions, of_a_child_that_names_none_are_those_open_at_the_fork) {
  const CountedRun run =
      run_words({"begin", "parents", "fork", "touch", "300", "join", "end", "touch", "1000"});
  const std::vector<RegionCounts> rows = named(run.counts, "parents");
  ASSERT_EQ(rows.size(), 2U);
  const RegionCounts& child = rows[0].entries == 0 ? rows[0] : rows[1];
  EXPECT_GE(faults(child), 300U);
  EXPECT_LT(faults(child), 1000U);
}

TEST(Regions, end_with_execve_and_the_new_program_has_its_own) {
  const CountedRun run = run_words({"begin", "old", "touch", "100", "exec", "touch", "1000",
                                    "begin", "new", "touch", "50", "end"});
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_EQ(run.counts.threads.size(), 2U);
  const RegionCounts before = one(run.counts, "old"), after = one(run.counts, "new");
  EXPECT_GE(faults(before), 100U);
  EXPECT_LT(faults(before), 1000U);
  expect_pages(after, 50);
  EXPECT_NE(before.thread_start_ns, after.thread_start_ns);
  expect_parts_of_threads(run.counts);
}

TEST(Regions, are_counted_to_the_end_of_a_thread_that_is_killed_in_them) {
  for (const char* end : {"kill", "crash"}) {
    const CountedRun run =
        run_words({"threads", "3", "begin", "t", "touch", "200", "end", "join", "begin", "r",
                   "touch", "100", "begin", "s", "touch", "50", end});
    EXPECT_EQ(run.end.exit.signal, end == std::string("kill") ? SIGKILL : SIGSEGV);
    expect_pages(one(run.counts, "r"), 150);
    expect_pages(one(run.counts, "s"), 50);
    EXPECT_EQ(named(run.counts, "t").size(), 3U);
    expect_parts_of_threads(run.counts);
  }
}

TEST(Regions, leave_alone_what_the_program_has_at_the_numbers_of_descriptors_that_it_closed) {
  const CountedRun run = run_words({"begin", "r", "touch", "10", "close", "pipe", "precious", "end",
                                    "begin", "r", "end", "check", "precious", "work", "w", "1"});
  EXPECT_EQ(run.end.exit.code, 0);
  const RegionCounts row = one(run.counts, "r");
  EXPECT_FALSE(row.counted);
  EXPECT_EQ(row.entries, 2U);
  EXPECT_EQ(run.counts.total_work(), (Work{{"w", 1}}));
  EXPECT_NE(warning(run.counts, "regions_not_counted").find("closed"), std::string::npos);
  EXPECT_EQ(run.counts.quality, Quality::kExact) << "the threads are counted all the same";
}

TEST(Regions, of_a_handler_nest_in_those_that_it_interrupts_whatever_it_interrupts) {
  Words words{"begin", "warm", "end", "handler"};
  for (int i = 0; i < 60; ++i)
    for (const char* word : {"begin", "r", "touch", "100", "end", "touch", "100"})
      words.emplace_back(word);
  words.emplace_back("touch");
  words.emplace_back("20000");
  const CountedRun run = run_words(words);
  EXPECT_EQ(run.end.exit.code, 0);
  const RegionCounts row = one(run.counts, "r");
  EXPECT_EQ(row.entries, 60U);
  EXPECT_GE(faults(row), 6000U);
  EXPECT_LE(faults(row), 6000U + 600U);
  if (named(run.counts, "handler").empty()) GTEST_SKIP() << "no alarm came";
  EXPECT_EQ(one(run.counts, "handler").entries, one(run.counts, "handler").work.at("alarms"));
}

TEST(Regions, too_deep_or_too_many_are_counted_with_those_around_and_said_to_be) {
  Words deep, many;
  for (int i = 0; i < 60; ++i)
    for (int k = 0; k < 10; ++k) deep.insert(deep.end(), {"begin", "d" + std::to_string(k)});
  deep.insert(deep.end(), {"touch", "100"});
  for (int i = 0; i < 600; ++i) deep.emplace_back("end");
  deep.insert(deep.end(), {"touch", "1000", "begin", "after", "touch", "50", "end"});
  const CountedRun run = run_words(deep);
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_NE(warning(run.counts, "regions_merged"), "");
  EXPECT_GE(faults(one(run.counts, "d0")), 100U);
  EXPECT_LT(faults(one(run.counts, "d0")), 1000U);
  expect_pages(one(run.counts, "after"), 50);
}

TEST(Regions, of_a_snapshot_grow_towards_the_last_and_are_no_more_than_their_threads) {
  HardwareCollector collector("perf", Division::kPerf, software_events());
  std::uint64_t before = 0;
  std::size_t snapshots = 0;
  const Ticker ticker{std::chrono::milliseconds(2), [&] {
                        const auto counts = collector.snapshot();
                        ASSERT_TRUE(counts);
                        expect_parts_of_threads(*counts);
                        if (counts->regions.empty()) return;
                        ++snapshots;
                        const std::uint64_t now = faults(one(*counts, "r"));
                        EXPECT_GE(now, before);
                        before = now;
                      }};
  Words command{program("region_pages")};
  for (int i = 0; i < 60; ++i)
    for (const char* word : {"begin", "r", "touch", "900", "end"}) command.emplace_back(word);
  const CountedRun run = count(collector, command, ticker, {.snapshots = true});
  const RegionCounts last = one(run.counts, "r");
  EXPECT_GE(faults(last), before);
  EXPECT_GE(faults(last), 60U * 900U);
  EXPECT_EQ(last.entries, 60U);
}

TEST(Regions, of_a_run_that_is_not_followed_are_not_there_and_said_to_be) {
  const CountedRun run = run_words({"begin", "r", "touch", "10", "end"}, {.follow = false});
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_TRUE(run.counts.regions.empty());
  EXPECT_NE(warning(run.counts, "regions_not_counted").find("--no-ptrace"), std::string::npos);
}

}  // namespace
}  // namespace bops::pmu
