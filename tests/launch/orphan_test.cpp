// Descendants that outlive the target, children that bops had before, and the ticker.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "../platform/temporary_directory.hpp"
#include "driver.hpp"
#include "platform/clock.hpp"
#include "platform/procfs.hpp"

namespace bops {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

class Orphan : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }
  [[nodiscard]] Words daemonising(const std::string& milliseconds, const std::string& work) const {
    return driven({program("daemonise"), path("file"), milliseconds, work},
                  {"--report", path("report"), "--pid-file", path("pid"), "--tick", "20"});
  }

 private:
  TemporaryDirectory directory_;
};

TEST_F(Orphan, is_waited_for_but_the_status_is_the_targets) {
  const Finished driver = run(daemonising("300", "1000"));
  EXPECT_TRUE(std::filesystem::exists(path("file")));
  EXPECT_EQ(WEXITSTATUS(driver.status), 3);
  EXPECT_EQ(read_report(path("report"))["left"], 0U);
}

TEST_F(Orphan, has_its_resources_accounted) {
  ASSERT_EQ(WEXITSTATUS(run(daemonising("0", "300000000")).status), 3);
  EXPECT_GT(read_report(path("report"))["user_cpu_ns"], 50 * kMs);
}

TEST_F(Orphan, does_not_hold_bops_after_a_signal_that_asks_it_to_end) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    std::filesystem::remove(path("pid"));
    Running driver(daemonising("5000", "1000"));
    const pid_t target = number_in(path("pid"));
    ASSERT_TRUE(comes_true([target] { return !read_process_stat(target); }));  // ended and reaped
    ::kill(driver.pid(), SIGUSR1);                                             // asks for nothing
    ::kill(driver.pid(), signal);
    const int status = driver.next_status();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << signal;
    EXPECT_FALSE(std::filesystem::exists(path("file"))) << signal;
    EXPECT_EQ(read_report(path("report"))["left"], 1U) << signal;
  }
}

TEST_F(Orphan, that_ends_before_the_target_does_not_give_its_status_to_the_run) {
  const Finished driver = run(driven({"/bin/sh", "-c", "( (exit 77) & ); sleep 0.3; exit 5"}));
  EXPECT_EQ(WEXITSTATUS(driver.status), 5);
}

TEST_F(Orphan, of_a_tree_of_processes_leaves_nothing_unreaped) {
  EXPECT_EQ(run(driven({program("fork_tree"), "200", "1000"})).status, 0);
  EXPECT_EQ(run(driven({program("fork_tree"), "4", "1000", "3"})).status, 0);
}

TEST_F(Orphan, ticks_come_at_the_period_and_never_more_often) {
  ASSERT_EQ(WEXITSTATUS(run(daemonising("500", "1000")).status), 3);
  auto report = read_report(path("report"));
  EXPECT_GE(report["ticks"], 5U);  // 25 on an idle machine
  EXPECT_LE(report["ticks"], report["wall_ns"] / (20 * kMs));
}

TEST(Stranger, that_bops_had_as_a_child_before_is_not_waited_for) {
  const std::uint64_t start = mono_ns();
  const int status = run(driven({program("exit_with"), "4"}), [] {
                       if (::fork() == 0) {
                         ::sleep(5);
                         ::_exit(0);
                       }
                     }).status;
  EXPECT_EQ(WEXITSTATUS(status), 4);
  EXPECT_LT(mono_ns() - start, 4000 * kMs);
}

TEST_F(Orphan, resources_are_not_mixed_with_those_of_an_earlier_child_of_bops) {
  const Words command = driven({"/bin/sleep", "1"}, {"--report", path("report")});
  ASSERT_EQ(run(command,
                [] {
                  if (::fork() != 0) return;
                  const std::string busy = program("busy_loop");
                  ::execl(busy.c_str(), "busy_loop", "300000000", nullptr);
                })
                .status,
            0);
  EXPECT_LT(read_report(path("report"))["user_cpu_ns"], 50 * kMs);
}

TEST(Stranger, does_not_give_its_status_to_the_run) {
  const int status = run(driven({program("exit_with"), "4"}), [] {
                       if (::fork() == 0) ::_exit(77);
                     }).status;
  EXPECT_EQ(WEXITSTATUS(status), 4);
}

}  // namespace
}  // namespace bops
