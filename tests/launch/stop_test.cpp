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

/// stop_self under the driver, both stopped.
class Stopped : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(driver_.read_line(), "stopping");
    ASSERT_TRUE(is_stopped(driver_.next_status()));
    target_ = number_in(directory_ / "pid");
    ASSERT_GT(target_, 0);
    ASSERT_EQ(read_process_stat(target_)->state, 'T');
  }
  [[nodiscard]] Running& driver() { return driver_; }
  [[nodiscard]] pid_t target() const { return target_; }

 private:
  TemporaryDirectory directory_;
  Running driver_{driven({program("stop_self")}, {"--pid-file", directory_ / "pid"})};
  pid_t target_ = 0;
};

TEST_F(Stopped, continues_its_target_when_it_is_continued) {
  ::kill(driver().pid(), SIGCONT);
  EXPECT_EQ(driver().read_line(), "continued");
  EXPECT_TRUE(exited_with(driver().next_status(), 5));
}

TEST_F(Stopped, continues_when_only_its_target_is_continued) {
  ::kill(target(), SIGCONT);
  EXPECT_EQ(driver().read_line(), "continued");
  EXPECT_TRUE(exited_with(driver().next_status(), 5));
}

TEST_F(Stopped, continues_with_its_whole_group) {
  ::kill(-driver().pid(), SIGCONT);
  EXPECT_EQ(driver().read_line(), "continued");
  EXPECT_TRUE(exited_with(driver().next_status(), 5));
}

TEST_F(Stopped, ends_when_its_stopped_target_is_killed) {
  ::kill(target(), SIGKILL);
  const int status = driver().next_status();
  EXPECT_TRUE(status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(Stopping, leaves_no_helper_behind) {
  Running driver(driven({program("signal_echo")}));
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

}  // namespace
}  // namespace bops
