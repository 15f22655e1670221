// bops stops and continues with its target.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "../platform/temporary_directory.hpp"
#include "driver.hpp"
#include "platform/procfs.hpp"

namespace bops {
namespace {

bool is_stopped(int status) {
  return status >= 0 && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
}
bool exited_with(int status, int code) {
  return status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == code;
}

/// How the driver runs its target: alone, or following its threads.
using DriverOptions = Words;

/// stop_self under the driver, both stopped.
class Stopped : public ::testing::TestWithParam<DriverOptions> {
 protected:
  void SetUp() override {
    ASSERT_EQ(driver_.read_line(), "stopping");
    ASSERT_TRUE(is_stopped(driver_.next_status()));
    target_ = number_in(directory_ / "pid");
    ASSERT_GT(target_, 0);
    ASSERT_EQ(read_process_stat(target_)->state, GetParam().empty() ? 'T' : 't');
  }
  [[nodiscard]] Running& driver() { return driver_; }
  [[nodiscard]] pid_t target() const { return target_; }

 private:
  [[nodiscard]] Words options() const {
    Words words = GetParam();
    words.insert(words.end(), {"--pid-file", directory_ / "pid"});
    return words;
  }
  TemporaryDirectory directory_;
  Running driver_{driven({program("stop_self")}, options())};
  pid_t target_ = 0;
};

TEST_P(Stopped, continues_its_target_when_it_is_continued) {
  ::kill(driver().pid(), SIGCONT);
  EXPECT_EQ(driver().read_line(), "continued");
  EXPECT_TRUE(exited_with(driver().next_status(), 5));
}

TEST_P(Stopped, continues_when_only_its_target_is_continued) {
  ::kill(target(), SIGCONT);
  EXPECT_EQ(driver().read_line(), "continued");
  EXPECT_TRUE(exited_with(driver().next_status(), 5));
}

TEST_P(Stopped, continues_with_its_whole_group) {
  ::kill(-driver().pid(), SIGCONT);
  EXPECT_EQ(driver().read_line(), "continued");
  EXPECT_TRUE(exited_with(driver().next_status(), 5));
}

TEST_P(Stopped, ends_when_its_stopped_target_is_killed) {
  ::kill(target(), SIGKILL);
  const int status = driver().next_status();
  EXPECT_TRUE(status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

INSTANTIATE_TEST_SUITE_P(Drivers, Stopped,
                         ::testing::Values(DriverOptions{}, DriverOptions{"--follow"}),
                         [](const auto& test) {
                           return test.param.empty() ? "alone" : "followed";
                         });

/// A target whose first thread has ended, which job control then tells nothing of.
class Headless : public ::testing::TestWithParam<DriverOptions> {
 protected:
  void SetUp() override {
    ASSERT_EQ(driver_.read_line(), "stopping");
    ASSERT_TRUE(is_stopped(driver_.next_status()));
    target_ = number_in(directory_ / "pid");
    ASSERT_GT(target_, 0);
    ASSERT_EQ(read_process_stat(target_)->state, 'Z');
  }
  [[nodiscard]] Running& driver() { return driver_; }
  [[nodiscard]] pid_t target() const { return target_; }

 private:
  [[nodiscard]] Words options() const {
    Words words = GetParam();
    words.insert(words.end(), {"--pid-file", directory_ / "pid"});
    return words;
  }
  TemporaryDirectory directory_;
  Running driver_{driven({program("stop_self"), "4"}, options())};
  pid_t target_ = 0;
};

TEST_P(Headless, stops_until_the_driver_is_continued) {
  EXPECT_EQ(driver().read_line(std::chrono::milliseconds(200)), "");
  const auto stat = read_process_stat(driver().pid());
  EXPECT_EQ(stat->state, 'T') << "it waits for whoever continues it";
  ::kill(driver().pid(), SIGCONT);
  EXPECT_EQ(driver().read_line(), "continued");
  EXPECT_TRUE(exited_with(driver().next_status(), 5)) << "it stopped once";
}

TEST_P(Headless, stops_until_the_target_is_continued) {
  ::kill(target(), SIGCONT);
  EXPECT_EQ(driver().read_line(), "continued");
  EXPECT_TRUE(exited_with(driver().next_status(), 5));
}

INSTANTIATE_TEST_SUITE_P(Drivers, Headless,
                         ::testing::Values(DriverOptions{}, DriverOptions{"--follow"}),
                         [](const auto& test) {
                           return test.param.empty() ? "alone" : "followed";
                         });

class Stopping : public ::testing::TestWithParam<DriverOptions> {};

TEST_P(Stopping, leaves_no_helper_behind) {
  Running driver(driven({program("signal_echo")}, GetParam()));
  ASSERT_EQ(driver.read_line(), "ready");
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(read_children(driver.pid()).size(), 1U);
    ::kill(driver.pid(), SIGTSTP);  // forwarded; the target stops by it
    ASSERT_TRUE(is_stopped(driver.next_status()));
    ::kill(driver.pid(), SIGCONT);
    ASSERT_TRUE(driver.read_line().starts_with(std::to_string(SIGCONT) + " 0 "));
    // Told once, although bops and its helper both saw to it.
    EXPECT_EQ(driver.read_line(std::chrono::milliseconds(100)), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Drivers, Stopping,
                         ::testing::Values(DriverOptions{}, DriverOptions{"--follow"}),
                         [](const auto& test) {
                           return test.param.empty() ? "alone" : "followed";
                         });

}  // namespace
}  // namespace bops
