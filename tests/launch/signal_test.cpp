// Signals that processes send to bops.
#include <gtest/gtest.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "driver.hpp"

namespace bops {
namespace {

std::string echo_of(int signal, int code, int value) {
  return std::to_string(signal) + " " + std::to_string(code) + " " + std::to_string(value);
}

/// What signal_echo says of the signal, up to its code.
std::string start_of_echo(int signal, int code) {
  return std::to_string(signal) + " " + std::to_string(code) + " ";
}

TEST(Signals, from_kill_are_forwarded) {
  Running driver(driven({program("signal_echo")}));
  ASSERT_EQ(driver.read_line(), "ready");
  for (const int signal : {SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGPIPE, SIGSEGV, SIGALRM,
                           SIGCONT, SIGTTOU, SIGRTMIN, SIGRTMAX}) {
    ::kill(driver.pid(), signal);
    EXPECT_TRUE(driver.read_line().starts_with(start_of_echo(signal, SI_USER))) << signal;
  }
  ::kill(driver.pid(), SIGTERM);
  EXPECT_TRUE(driver.read_line().starts_with(start_of_echo(SIGTERM, SI_USER)));
  EXPECT_EQ(driver.next_status(), 0);
}

TEST(Signals, from_sigqueue_arrive_with_their_values_and_in_order) {
  Running driver(driven({program("signal_echo")}));
  ASSERT_EQ(driver.read_line(), "ready");
  for (int i = 0; i < 50; ++i) {
    sigval value{};
    value.sival_int = 1000 - 37 * i;
    ASSERT_EQ(::sigqueue(driver.pid(), SIGRTMIN + 1, value), 0);
  }
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(driver.read_line(), echo_of(SIGRTMIN + 1, SI_QUEUE, 1000 - 37 * i));
}

TEST(Signals, sent_before_the_release_reach_the_target) {
  // Blocked and pending when the driver starts: the first thing that its signalfd has.
  Running driver(driven({program("signal_echo")}), [] {
    sigset_t mask;
    ::sigfillset(&mask);
    ::sigprocmask(SIG_SETMASK, &mask, nullptr);
    if (const pid_t sender = ::fork(); sender != 0) {
      ::waitpid(sender, nullptr, 0);
      return;
    }
    sigval value{};
    value.sival_int = 5;
    ::sigqueue(::getppid(), SIGRTMIN, value);
    ::_exit(0);
  });
  ASSERT_EQ(driver.read_line(), "ready");
  EXPECT_EQ(driver.read_line(), echo_of(SIGRTMIN, SI_QUEUE, 5));
}

TEST(Signals, from_an_alarm_set_before_bops_started_reach_the_target) {
  Running driver(driven({program("signal_echo")}), [] {
    const itimerval soon{{0, 0}, {0, 300'000}};
    ::setitimer(ITIMER_REAL, &soon, nullptr);
  });
  ASSERT_EQ(driver.read_line(), "ready");
  EXPECT_TRUE(driver.read_line().starts_with(start_of_echo(SIGALRM, SI_USER)));
}

TEST(Signals, that_the_target_ignores_do_not_end_bops) {
  Running driver(driven({program("signal_echo")}), [] { std::signal(SIGHUP, SIG_IGN); });
  ASSERT_EQ(driver.read_line(), "ready");
  ::kill(driver.pid(), SIGHUP);
  EXPECT_TRUE(driver.read_line().starts_with(start_of_echo(SIGHUP, SI_USER)));
}

TEST(Signals, that_kill_the_target_kill_bops_by_the_same_signal) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
    Running driver(driven({program("busy_loop")}));
    ::kill(driver.pid(), signal);
    // Sent before the driver blocks its signals, or before its target runs, it kills all the same.
    const int status = driver.next_status();
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << signal;
  }
}

TEST(Signals, to_bops_leave_its_target_alone_if_bops_is_killed) {
  Running driver(driven({program("signal_echo")}));
  ASSERT_EQ(driver.read_line(), "ready");
  ::kill(driver.pid(), SIGKILL);
  const int status = driver.next_status();
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  ::kill(-driver.pid(), SIGUSR1);  // the group has only the target left
  EXPECT_TRUE(driver.read_line().starts_with(start_of_echo(SIGUSR1, SI_USER)));
}

}  // namespace
}  // namespace bops
