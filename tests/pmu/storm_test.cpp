// Threads that come and go by the thousands: nothing lost, nothing double.
#include <gtest/gtest.h>

#include <set>

#include "counted_run.hpp"

namespace bops::pmu {
namespace {

TEST(Storm, twenty_thousand_short_threads_are_all_counted) {
  const CountedRun run = count_faults({program("touch_pages"), "20000", "0", "8"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.threads.size(), 20001U);
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  std::set<std::pair<pid_t, std::uint64_t>> keys;
  for (const ThreadCounts& thread : run.counts.threads) {
    EXPECT_TRUE(keys.emplace(thread.tid, thread.start_ns).second) << "double";
    EXPECT_TRUE(thread.end_ns.has_value());
  }
}

TEST(Storm, processes_come_and_go_by_the_thousand) {
  const CountedRun run = count_faults({program("process_tree"), "3", "10"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  std::set<pid_t> pids;
  for (const ProcessCounts& process : run.counts.processes) pids.insert(process.pid);
  EXPECT_EQ(pids.size(), 1111U);
}

}  // namespace
}  // namespace bops::pmu
