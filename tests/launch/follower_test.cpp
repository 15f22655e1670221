// Every thread and child of the target is reported, each exactly once, and nothing else changes.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "../platform/temporary_directory.hpp"
#include "driver.hpp"
#include "launch/target_process.hpp"
#include "platform/procfs.hpp"

namespace bops {
namespace {

using Kind = ThreadEvent::Kind;

/// What a listener heard, checked as it comes.
class Heard {
 public:
  void take(const ThreadEvent& event) {
    switch (event.kind) {
      case Kind::kStarted:
        EXPECT_TRUE(alive_.emplace(event.tid, event.pid).second) << event.tid << " started twice";
        ++started_;
        most_alive_ = std::max(most_alive_, alive_.size());
        if (event.pid == event.tid) ++processes_;
        break;
      case Kind::kExecuted:
        ++executed_;
        EXPECT_EQ(event.pid, event.tid);
        EXPECT_TRUE(alive_.erase(event.former_tid) == 1) << event.former_tid << " was not there";
        EXPECT_TRUE(alive_.emplace(event.tid, event.pid).second) << "the first thread still there";
        EXPECT_EQ(read_process_stat(event.pid)->state, 't');
        break;
      case Kind::kExited:
        EXPECT_TRUE(read_comm(event.pid, event.tid)) << "nothing is left of " << event.tid;
        EXPECT_EQ(alive_.erase(event.tid), 1U) << event.tid << " exited twice, or never started";
        ++exited_;
        std::this_thread::sleep_for(for_each_end_);
        break;
      case Kind::kHeld:
        alive_.emplace(event.tid, event.pid);
        ++processes_;
        break;
      case Kind::kForked:
        ++forked_;
        EXPECT_TRUE(alive_.contains(event.former_tid)) << "the maker is not there";
        EXPECT_EQ(read_process_stat(event.former_tid)->state, 't') << "the maker goes on already";
        break;
      case Kind::kReleased: break;
    }
  }
  [[nodiscard]] std::size_t started() const { return started_; }
  [[nodiscard]] std::size_t exited() const { return exited_; }
  [[nodiscard]] std::size_t executed() const { return executed_; }
  [[nodiscard]] std::size_t processes() const { return processes_; }
  [[nodiscard]] std::size_t forked() const { return forked_; }
  [[nodiscard]] std::size_t alive() const { return alive_.size(); }
  /// As one does who reads and closes counters.
  void take_time_for_ends() { for_each_end_ = std::chrono::microseconds(300); }
  [[nodiscard]] std::size_t most_alive() const { return most_alive_; }

 private:
  std::map<pid_t, pid_t> alive_;
  std::chrono::microseconds for_each_end_{0};
  std::size_t most_alive_ = 0;
  std::size_t started_ = 0, exited_ = 0, executed_ = 0, processes_ = 0, forked_ = 0;
};

/// Which threads stop before they end.
enum class ExitStops : std::uint8_t { kAll, kNone, kEveryOther };

class Followed : public ::testing::TestWithParam<ExitStops> {
 protected:
  static bool wants_exit_stop(pid_t tid) {
    return GetParam() == ExitStops::kAll || (GetParam() == ExitStops::kEveryOther && tid % 2 == 0);
  }
  TargetEnd run(const Words& command, const Ticker& ticker = {}) {
    auto target = TargetProcess::spawn_held({command[0], command, {"PATH=/usr/bin:/bin"}});
    heard_.take({Kind::kHeld, target->pid(), target->pid()});
    target_ = target->pid();
    const auto followed =
        target->follow([this](const ThreadEvent& event) { heard_.take(event); }, wants_exit_stop);
    EXPECT_TRUE(followed) << followed.error().message;
    EXPECT_TRUE(target->release());
    const TargetEnd end = target->wait(ticker);
    EXPECT_EQ(heard_.alive(), 0U) << "some are still thought to run";
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG | __WALL), -1) << "someone was left unreaped";
    return end;
  }
  Heard heard_;
  pid_t target_ = 0;
};

TEST_P(Followed, a_program_executes_once_and_exits_once) {
  EXPECT_EQ(run({program("exit_with"), "3"}).exit.code, 3);
  EXPECT_EQ(heard_.started(), 0U);
  EXPECT_EQ(heard_.executed(), 1U);
  EXPECT_EQ(heard_.exited(), 1U);
}

TEST_P(Followed, a_thousand_threads_are_each_told_once) {
  EXPECT_EQ(run({program("threads"), "1000", "10"}).exit.code, 0);
  EXPECT_EQ(heard_.started(), 1000U);
  EXPECT_EQ(heard_.exited(), 1001U);
}

TEST_P(Followed, short_threads_are_each_told_once) {
  EXPECT_EQ(run({program("touch_pages"), "3000", "0", "8"}).exit.code, 0);
  EXPECT_EQ(heard_.started(), 3000U);
  EXPECT_EQ(heard_.exited(), 3001U);
}

TEST_P(Followed, the_ends_of_threads_are_told_while_others_come) {
  heard_.take_time_for_ends();
  EXPECT_EQ(run({program("touch_pages"), "3000", "0", "8"}).exit.code, 0);
  EXPECT_LT(heard_.most_alive(), 400U) << "8 live at a time";
}

TEST_P(Followed, a_tree_of_85_processes_is_told_and_each_executes) {
  EXPECT_EQ(run({program("process_tree"), "3", "4"}).exit.code, 0);
  EXPECT_EQ(heard_.processes(), 85U);
  EXPECT_EQ(heard_.forked(), 84U) << "every process but the first has a maker";
  EXPECT_EQ(heard_.executed(), 85U);
  EXPECT_EQ(heard_.exited(), 85U);
}

TEST_P(Followed, a_thread_that_executes_takes_the_place_of_the_first) {
  EXPECT_EQ(run({program("exec_from_thread"), "0"}).exit.code, 7);
  EXPECT_EQ(heard_.executed(), 2U);
  EXPECT_EQ(heard_.started(), 2U);
  EXPECT_EQ(heard_.exited(), 3U);  // first, third, and the one that executed
}

TEST_P(Followed, threads_that_are_killed_before_their_first_instruction_hold_nothing_up) {
  constexpr std::size_t kRounds = 40;  // execve kills the third thread, often at once
  for (std::size_t round = 0; round < kRounds; ++round)
    ASSERT_EQ(run({program("exec_from_thread"), "0"}).exit.code, 7);
  EXPECT_EQ(heard_.exited(), 3 * kRounds);
}

TEST_P(Followed, a_thread_can_execute_after_the_first_has_ended) {
  EXPECT_EQ(run({program("exec_from_thread"), "1"}).exit.code, 7);
  EXPECT_EQ(heard_.executed(), 2U);
  EXPECT_EQ(heard_.exited(), 3U);
}

TEST_P(Followed, a_daemon_is_followed_to_its_end) {
  const TemporaryDirectory directory;
  EXPECT_EQ(run({program("daemonise"), directory / "file", "100"}).exit.code, 3);
  EXPECT_TRUE(std::filesystem::exists(directory / "file"));
  EXPECT_EQ(heard_.processes(), 3U);
  EXPECT_EQ(heard_.exited(), 3U);
}

TEST_P(Followed, threads_that_vanish_by_SIGKILL_are_told_as_exited) {
  bool killed = false;
  const Ticker ticker{std::chrono::milliseconds(20), [&] {
                        if (heard_.started() < 20 || std::exchange(killed, true)) return;
                        ::kill(target_, SIGKILL);
                      }};
  EXPECT_EQ(run({program("threads"), "20", "2000000000"}, ticker).exit.signal, SIGKILL);
  EXPECT_EQ(heard_.started(), 20U);
  EXPECT_EQ(heard_.exited(), 21U);
}

TEST_P(Followed, signals_reach_the_target_unchanged) {
  EXPECT_EQ(run({program("die_by"), std::to_string(SIGTERM)}).exit.signal, SIGTERM);
  EXPECT_EQ(run({program("segv_recover")}).exit.code, 0);
  EXPECT_EQ(run({program("die_by"), std::to_string(SIGSEGV)}).exit.signal, SIGSEGV);
}

TEST_P(Followed, counts_what_the_processes_used_once) {
  const std::uint64_t followed =
      run({program("fork_tree"), "3", "3000000", "2"}).resource_usage.user_cpu_ns;
  auto target =
      TargetProcess::spawn_held({program("fork_tree"), {"fork_tree", "3", "3000000", "2"}, {}});
  ASSERT_TRUE(target->release());
  const std::uint64_t plain = target->wait({}).resource_usage.user_cpu_ns;
  EXPECT_GT(followed, plain / 2);
  EXPECT_LT(followed, plain * 2);
}

TEST_P(Followed, an_execve_that_fails_is_told_like_without_following) {
  const TemporaryDirectory directory;
  auto target = TargetProcess::spawn_held({directory / "none", {"none"}, {}});
  ASSERT_TRUE(target->follow([](const ThreadEvent&) {}, wants_exit_stop));
  EXPECT_EQ(target->release().error().kind, FailureKind::kNotFound);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG | __WALL), -1);
}

TEST_P(Followed, a_target_that_is_given_up_never_runs) {
  {
    auto target = TargetProcess::spawn_held({program("exit_with"), {"exit_with"}, {}});
    ASSERT_TRUE(target->follow([](const ThreadEvent&) {}, wants_exit_stop));
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG | __WALL), -1);
}

TEST_P(Followed, a_signal_between_its_release_and_its_execve_does_not_stop_it_for_ever) {
  for (int round = 0; round < 20; ++round) {
    auto target = TargetProcess::spawn_held({program("exit_with"), {"exit_with", "4"}, {}});
    ASSERT_TRUE(target->follow([](const ThreadEvent&) {}, wants_exit_stop));
    ::kill(target->pid(), SIGSTOP);
    std::thread later([pid = target->pid()] {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      ::kill(pid, SIGCONT);
    });
    ASSERT_TRUE(target->release());
    later.join();
    EXPECT_EQ(target->wait({}).exit.code, 4);
  }
}

TEST_P(Followed, a_program_that_traces_its_child_may_not) {
  EXPECT_EQ(run({program("trace_child")}).exit.code, 5);
}

TEST_P(Followed, processes_in_a_pid_namespace_of_their_own_are_told_by_our_ids) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to make a PID namespace";
  const TargetEnd end = run({"/usr/bin/unshare", "-pf", program("process_tree"), "1", "3"});
  if (end.exit.code != 0) GTEST_SKIP() << "unshare is refused here";
  EXPECT_EQ(heard_.processes(), 5U);
  EXPECT_EQ(heard_.exited(), 5U);
}

std::string name_of(const ::testing::TestParamInfo<ExitStops>& stops) {
  switch (stops.param) {
    case ExitStops::kAll: return "that_all_stop_at_their_ends";
    case ExitStops::kNone: return "of_which_none_stops_at_its_end";
    case ExitStops::kEveryOther: return "of_which_every_other_stops_at_its_end";
  }
  return {};
}

INSTANTIATE_TEST_SUITE_P(Threads, Followed,
                         ::testing::Values(ExitStops::kAll, ExitStops::kNone,
                                           ExitStops::kEveryOther),
                         name_of);

// As processes of their own: what bops leaves behind, and job control.

TEST(Following, the_target_goes_on_when_bops_is_killed) {
  const TemporaryDirectory directory;
  Running driver(driven({program("daemonise"), directory / "file", "600"},
                        {"--follow", "--pid-file", directory / "pid"}));
  ASSERT_GT(number_in(directory / "pid"), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  ::kill(driver.pid(), SIGKILL);
  EXPECT_TRUE(comes_true([&] { return std::filesystem::exists(directory / "file"); }));
}

TEST(Following, a_second_tracer_is_refused_with_the_reason) {
  // What looks for leaks at the end of a sanitized program cannot be traced.
  Words traced{"/usr/bin/env", "ASAN_OPTIONS=detect_leaks=0"};
  for (const std::string& word : driven({program("exit_with"), "0"}, {"--follow"}))
    traced.push_back(word);
  const Finished inner = run(driven(traced, {"--follow"}));
  EXPECT_EQ(WEXITSTATUS(inner.status), 125);
  EXPECT_NE(inner.err.find("traces it already"), std::string::npos) << inner.err;
}

}  // namespace
}  // namespace bops
