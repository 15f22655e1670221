// Each thread its own number, nothing lost, nothing double: with page faults, which a program
// decides itself.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "../platform/temporary_directory.hpp"
#include "counted_run.hpp"
#include "tests/harness/sanitized.hpp"

namespace bops::pmu {
namespace {

/// Faults of a thread that are not its pages': its stack, its name, the allocator's arena.
constexpr std::uint64_t kOwnFaults = 16;

bool has_warning(const RunCounts& counts, std::string_view code, std::string_view words = "") {
  return std::any_of(counts.warnings.begin(), counts.warnings.end(), [&](const Warning& warning) {
    return warning.code == code && warning.message.find(words) != std::string::npos;
  });
}

void expect_sums_agree(const RunCounts& counts) {
  InstructionCounts processes;
  for (const ProcessCounts& process : counts.processes) processes += process.counts.instructions;
  EXPECT_EQ(processes, counts.totals().instructions);
  std::set<std::tuple<pid_t, pid_t, std::uint64_t>> keys;
  for (const ThreadCounts& thread : counts.threads) {
    EXPECT_TRUE(keys.emplace(thread.pid, thread.tid, thread.start_ns).second) << "double";
    EXPECT_TRUE(thread.end_ns.has_value());
  }
}

/// How often threads "pages-i" had their i * `pages` faults, and no more than their own besides.
std::size_t exact_threads(const RunCounts& counts, std::uint64_t pages) {
  std::size_t exact = 0;
  for (const ThreadCounts& thread : counts.threads) {
    if (!thread.name.starts_with("pages-")) continue;
    const std::uint64_t expected = std::stoull(thread.name.substr(6)) * pages;
    const std::uint64_t faults = thread.counts.instructions.total;
    EXPECT_GE(faults, expected) << thread.name;
    EXPECT_LE(faults, expected + kOwnFaults) << thread.name;
    if (faults >= expected && faults <= expected + kOwnFaults) ++exact;
  }
  return exact;
}

TEST(FollowedCounts, forty_threads_have_each_its_own_number_of_page_faults) {
  const CountedRun run = count_faults({program("touch_pages"), "40", "100"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  EXPECT_EQ(run.counts.threads.size(), 41U);
  EXPECT_EQ(exact_threads(run.counts, 100), 40U);
  for (const ThreadCounts& thread : run.counts.threads) {
    EXPECT_EQ(thread.via, "perf");
    EXPECT_EQ(thread.counts.instructions.total,
              thread.counts.instructions.loads + thread.counts.instructions.stores);
  }
  expect_sums_agree(run.counts);
}

TEST(FollowedCounts, a_thousand_threads_are_all_counted) {
  const CountedRun run = count_faults({program("touch_pages"), "1000", "1"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.threads.size(), 1001U);
  EXPECT_EQ(exact_threads(run.counts, 1), 1000U);
  expect_sums_agree(run.counts);
}

TEST(FollowedCounts, three_thousand_short_threads_are_all_counted) {
  const CountedRun run = count_faults({program("touch_pages"), "3000", "0", "8"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  EXPECT_EQ(run.counts.threads.size(), 3001U);
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  expect_sums_agree(run.counts);
}

TEST(FollowedCounts, a_tree_of_85_processes_is_counted_before_and_after_each_execve) {
  const CountedRun run = count_faults({program("process_tree"), "3", "4"});
  ASSERT_FALSE(run.refused) << run.refused->message;
  std::set<pid_t> pids;
  for (const ProcessCounts& process : run.counts.processes) pids.insert(process.pid);
  EXPECT_EQ(pids.size(), 85U);
  // The root's one image, and two of every other process.
  EXPECT_EQ(run.counts.processes.size(), 1U + 2U * 84U);
  for (const ProcessCounts& process : run.counts.processes) {
    EXPECT_TRUE(process.counted);
    EXPECT_TRUE(process.end_ns.has_value());
    EXPECT_TRUE(process.executable.ends_with("/process_tree")) << process.executable;
  }
  expect_sums_agree(run.counts);
}

TEST(FollowedCounts, a_thread_that_executes_keeps_its_counters) {
  const CountedRun run = count_faults({program("exec_from_thread"), "0"});
  EXPECT_EQ(run.end.exit.code, 7);
  EXPECT_EQ(run.counts.processes.size(), 2U);
  EXPECT_EQ(run.counts.threads.size(), 4U);
  EXPECT_GT(run.counts.processes[1].counts.instructions.total, 0U);
  expect_sums_agree(run.counts);
}

TEST(FollowedCounts, what_is_killed_is_counted_as_far_as_it_came) {
  HardwareCollector collector("perf", Division::kPerf, software_events());
  pid_t root = 0;
  std::uint64_t before = 0;
  const Ticker ticker{std::chrono::milliseconds(20), [&] {
                        const auto counts = collector.snapshot();
                        if (counts->threads.size() < 9) return;
                        for (const ThreadCounts& thread : counts->threads)
                          if (thread.counts.instructions.total == 0) return;
                        root = counts->threads.front().pid;
                        before = counts->totals().instructions.total;
                        ::kill(root, SIGKILL);
                      }};
  const CountedRun run = count(collector, {program("threads"), "8", "4000000000"}, ticker);
  EXPECT_EQ(run.end.exit.signal, SIGKILL);
  EXPECT_EQ(run.counts.threads.size(), 9U);
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  EXPECT_GE(run.counts.totals().instructions.total, before);
  EXPECT_GT(before, 0U);
  expect_sums_agree(run.counts);
}

TEST(FollowedCounts, a_stopped_and_continued_target_loses_nothing) {
  HardwareCollector collector("perf", Division::kPerf, software_events());
  const pid_t child = ::fork();
  if (child == 0) {  // it stops with its target
    const CountedRun run = count(collector, {program("stop_self")});
    ::_exit(run.end.exit.code == 5 && run.counts.quality == Quality::kExact ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status));
  ::kill(child, SIGCONT);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(FollowedCounts, a_daemon_is_counted_to_its_end) {
  const TemporaryDirectory directory;
  const CountedRun run = count_faults({program("daemonise"), directory / "file", "50"});
  EXPECT_EQ(run.end.exit.code, 3);
  EXPECT_EQ(run.counts.processes.size(), 3U);
  EXPECT_TRUE(std::filesystem::exists(directory / "file"));
  expect_sums_agree(run.counts);
}

TEST(FollowedCounts, a_pid_namespace_changes_nothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to make a PID namespace";
  const CountedRun run =
      count_faults({"/usr/bin/unshare", "-pf", program("touch_pages"), "5", "100"});
  if (run.end.exit.code != 0) GTEST_SKIP() << "unshare is refused here";
  EXPECT_EQ(exact_threads(run.counts, 100), 5U);
  expect_sums_agree(run.counts);
}

TEST(FollowedCounts, threads_without_descriptors_are_missing_and_said_to_be) {
  if (harness::kSanitized) GTEST_SKIP() << "a sanitizer needs a descriptor for some of its checks";
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit few{64, 64};
    ::setrlimit(RLIMIT_NOFILE, &few);
    const CountedRun run = count_faults({program("threads"), "40", "1000"});
    std::size_t uncounted = 0;
    for (const ThreadCounts& thread : run.counts.threads) uncounted += thread.counted ? 0 : 1;
    const bool good =
        run.end.exit.code == 0 && run.counts.threads.size() == 41 && uncounted > 10 &&
        uncounted < 41 && run.counts.quality == Quality::kPartial &&
        has_warning(run.counts, "threads_uncounted", std::to_string(uncounted) + " threads") &&
        has_warning(run.counts, "threads_uncounted", "ulimit -Hn");
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(FollowedCounts, the_target_has_the_limit_of_descriptors_that_bops_was_given) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit lower{100, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lower), 0);
  const CountedRun run = count_faults({"/bin/sh", "-c", "test $(ulimit -Sn) = 100"});
  rlimit after{};
  ::getrlimit(RLIMIT_NOFILE, &after);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_EQ(after.rlim_cur, 100U);
}

TEST(FollowedCounts, a_target_that_traces_is_told_of_whatever_its_file_is_like) {
  for (const char* name : {"trace_child", "trace_child_static", "trace_child_stripped"}) {
    const CountedRun run = count_faults({program(name)});
    EXPECT_EQ(run.end.exit.code, 5) << name;
    EXPECT_TRUE(has_warning(run.counts, "target_may_trace", "--no-ptrace")) << name;
  }
  for (const char* name : {"exit_with", "exit_with_static"})
    EXPECT_FALSE(has_warning(count_faults({program(name), "0"}).counts, "target_may_trace"))
        << name;
}

TEST(FollowedCounts, a_target_that_traces_can_be_counted_without_following) {
  const CountedRun run = count_faults({program("trace_child")}, {.follow = false});
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_TRUE(has_warning(run.counts, "threads_not_followed"));
}

TEST(FollowedCounts, totals_by_inheritance_are_those_of_following) {
  const std::vector<std::string> command{program("touch_pages"), "40", "100"};
  const std::uint64_t followed = count_faults(command).counts.totals().instructions.total;
  const CountedRun inherited = count_faults(command, {.follow = false});
  ASSERT_EQ(inherited.counts.threads.size(), 1U);
  const std::uint64_t total = inherited.counts.totals().instructions.total;
  EXPECT_GT(total, 40U * 41U / 2 * 100);
  EXPECT_NEAR(static_cast<double>(total), static_cast<double>(followed), 300);
}

class OfAnotherUser : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to make a file of another user";
    std::filesystem::copy_file(program("show_user"), path());
    ASSERT_EQ(::chmod(directory().c_str(), 0755), 0);
  }
  [[nodiscard]] std::string path() const { return directory_ / "program"; }
  [[nodiscard]] std::string directory() const {
    return std::filesystem::path(path()).parent_path();
  }
  static constexpr uid_t kNobody = 65534;

 private:
  TemporaryDirectory directory_;
};

TEST_F(OfAnotherUser, a_setuid_target_of_root_is_counted_after_the_kernel_took_the_counters) {
  ASSERT_EQ(::chown(path().c_str(), kNobody, kNobody), 0);
  ASSERT_EQ(::chmod(path().c_str(), 04755), 0);
  const CountedRun run = count_faults({path()});
  EXPECT_EQ(run.end.exit.code, 0);
  EXPECT_EQ(run.counts.quality, Quality::kExact);
  EXPECT_GT(run.counts.totals().instructions.total, 10U);
}

TEST_F(OfAnotherUser, a_setuid_target_of_an_ordinary_user_is_refused) {
  ASSERT_EQ(::chmod(path().c_str(), 04755), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(99);
    const CountedRun run = count_faults({path()});
    ::_exit(run.refused && run.refused->message.find("setuid") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(OfAnotherUser, a_setuid_child_of_an_ordinary_user_is_told_of) {
  ASSERT_EQ(::chmod(path().c_str(), 04755), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(99);
    const CountedRun run = count_faults({"/bin/sh", "-c", path() + " >/dev/null; true"});
    ::_exit(has_warning(run.counts, "privileges_dropped", path()) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace bops::pmu
