// Signals that the terminal sends to the whole foreground group, under a shell's job control.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "driver.hpp"
#include "platform/unique_fd.hpp"

namespace bops {
namespace {

using std::chrono::milliseconds;

/// A terminal whose session leader, like a shell, has launch_driver as its foreground job. The
/// leader writes the pid of the job and then each of its statuses (waitpid) to a pipe.
class Terminal {
 public:
  explicit Terminal(const Words& command) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    statuses_.reset(ends[0]);
    const UniqueFd theirs(ends[1]);
    int keyboard = -1;
    leader_ = ::forkpty(&keyboard, nullptr, nullptr, nullptr);
    if (leader_ == 0) lead(command, theirs.get());
    keyboard_.reset(keyboard);
    job_ = next_number();
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (job_ > 0) ::kill(-job_, SIGKILL);
    ::kill(leader_, SIGKILL);
    ::waitpid(leader_, nullptr, 0);
  }

  [[nodiscard]] pid_t job() const { return job_; }
  void type(char key) const { ASSERT_EQ(::write(keyboard_.get(), &key, 1), 1); }
  /// The job's next status; -1 if none comes.
  [[nodiscard]] int next_number() const {
    int number = -1;
    pollfd readable{statuses_.get(), POLLIN, 0};
    if (::poll(&readable, 1, 20'000) <= 0) return -1;
    return ::read(statuses_.get(), &number, sizeof(number)) == sizeof(number) ? number : -1;
  }
  [[nodiscard]] std::string read_line(milliseconds patience = milliseconds(20'000)) {
    while (screen_.find("\r\n") == std::string::npos) {
      pollfd readable{keyboard_.get(), POLLIN, 0};
      if (::poll(&readable, 1, static_cast<int>(patience.count())) <= 0) return {};
      std::array<char, 256> block{};
      const ssize_t got = ::read(keyboard_.get(), block.data(), block.size());
      if (got <= 0) return {};
      screen_.append(block.data(), static_cast<std::size_t>(got));
    }
    std::string line = screen_.substr(0, screen_.find("\r\n"));
    screen_.erase(0, line.size() + 2);
    return line;
  }

 private:
  [[noreturn]] static void lead(const Words& command, int statuses) {
    termios settings{};
    ::tcgetattr(STDIN_FILENO, &settings);
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
    std::signal(SIGTTOU, SIG_IGN);  // so that it may name the foreground group from outside it
    const pid_t job = ::fork();
    if (job == 0) {
      ::setpgid(0, 0);
      ::tcsetpgrp(STDIN_FILENO, ::getpid());
      std::signal(SIGTTOU, SIG_DFL);
      std::vector<char*> arguments;
      for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      ::execv(arguments[0], arguments.data());
      ::_exit(99);
    }
    int number = job;
    do {
      if (::write(statuses, &number, sizeof(number)) < 0) ::_exit(1);
    } while (::waitpid(job, &number, WUNTRACED) == job);
    for (;;) ::pause();  // its end would hang up the terminal
  }

  UniqueFd statuses_;
  UniqueFd keyboard_;
  std::string screen_;
  pid_t leader_ = -1;
  pid_t job_ = -1;
};

constexpr char kControlC = 0x03;
constexpr char kControlZ = 0x1A;
constexpr char kControlBackslash = 0x1C;

TEST(Terminal, interrupts_reach_the_target_exactly_once_and_do_not_end_bops) {
  Terminal terminal(driven({program("signal_echo")}));
  ASSERT_EQ(terminal.read_line(), "ready");
  for (int i = 0; i < 5; ++i) {
    terminal.type(kControlC);
    EXPECT_TRUE(terminal.read_line().starts_with(std::to_string(SIGINT) + " " +
                                                 std::to_string(SI_KERNEL) + " "));
    EXPECT_EQ(terminal.read_line(milliseconds(50)), "");
  }
  ::kill(terminal.job(), SIGTERM);
  EXPECT_TRUE(terminal.read_line().starts_with(std::to_string(SIGTERM) + " 0 "));
  EXPECT_EQ(terminal.next_number(), 0);
}

TEST(Terminal, an_interrupt_that_kills_the_target_kills_bops) {
  for (const auto& [key, signal] : {std::pair{kControlC, SIGINT}, {kControlBackslash, SIGQUIT}}) {
    Terminal terminal(driven({"/bin/sh", "-c", "ulimit -c 0; echo ready; exec sleep 60"}));
    ASSERT_EQ(terminal.read_line(), "ready");
    terminal.type(key);
    const int status = terminal.next_number();
    EXPECT_TRUE(status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == signal);
  }
}

TEST(Terminal, a_job_is_stopped_and_continued_as_one) {
  Terminal terminal(driven({program("signal_echo")}));
  ASSERT_EQ(terminal.read_line(), "ready");
  for (int round = 0; round < 3; ++round) {
    terminal.type(kControlZ);
    const int status = terminal.next_number();
    ASSERT_TRUE(status >= 0 && WIFSTOPPED(status));
    ::kill(-terminal.job(), SIGCONT);  // as `fg` does
    ASSERT_TRUE(terminal.read_line().starts_with(std::to_string(SIGCONT) + " "));
    // The shell and bops may both have continued the target, but no more than that.
    int continued = 1;
    while (continued < 10 && !terminal.read_line(milliseconds(100)).empty()) ++continued;
    EXPECT_LE(continued, 2);
    terminal.type(kControlC);
    EXPECT_TRUE(terminal.read_line().starts_with(std::to_string(SIGINT) + " " +
                                                 std::to_string(SI_KERNEL) + " "));
  }
}

}  // namespace
}  // namespace bops
