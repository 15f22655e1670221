// The target between its spawning and its release, and what execve(2) may answer.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <thread>

#include "../platform/temporary_directory.hpp"
#include "driver.hpp"
#include "launch/target_process.hpp"
#include "platform/files.hpp"
#include "platform/procfs.hpp"

namespace bops {
namespace {

bool has_children() {
  return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

/// A program that leaves a file behind once it has run.
LaunchPlan plan_that_writes(const std::string& file) {
  return {program("print_arguments"), {"print_arguments"}, {"PRINT_ARGUMENTS_FILE=" + file}};
}

class Held : public ::testing::Test {
 protected:
  [[nodiscard]] std::string file() const { return directory_ / "file"; }
  [[nodiscard]] bool target_has_run() const { return std::filesystem::exists(file()); }
  /// Makes an executable file with this content and says how releasing it fails.
  [[nodiscard]] Error release_error(const std::string& content) const {
    EXPECT_TRUE(write_file_whole(file(), content, 0700));
    auto target = TargetProcess::spawn_held({file(), {"file"}, {}});
    const auto released = target->release();
    EXPECT_FALSE(has_children());
    return released ? Error{"released", "", {}} : released.error();
  }

 private:
  TemporaryDirectory directory_;
};

TEST_F(Held, executes_nothing_of_the_target_before_its_release) {
  auto target = TargetProcess::spawn_held(plan_that_writes(file()));
  ASSERT_TRUE(target);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(target_has_run());
  EXPECT_EQ(read_executable(target->pid()).value(), read_executable(::getpid()).value());
  ASSERT_TRUE(target->release());
  EXPECT_EQ(target->wait({}).exit, (ExitStatus{0, std::nullopt}));
  EXPECT_TRUE(target_has_run());
}

TEST_F(Held, never_executes_a_target_that_is_given_up) {
  { const auto target = TargetProcess::spawn_held(plan_that_writes(file())); }
  EXPECT_FALSE(has_children());
  EXPECT_FALSE(target_has_run());
}

TEST_F(Held, never_executes_a_target_whose_bops_was_killed) {
  const TemporaryDirectory directory;
  const Finished driver =
      run(driven({program("print_arguments")}, {"--die-held", "--pid-file", directory / "pid"}),
          [this] { ::setenv("PRINT_ARGUMENTS_FILE", file().c_str(), 1); });
  EXPECT_TRUE(WIFSIGNALED(driver.status) && WTERMSIG(driver.status) == SIGKILL);
  const pid_t child = number_in(directory / "pid");
  ASSERT_GT(child, 0);
  EXPECT_TRUE(comes_true([child] {
    const auto stat = read_process_stat(child);
    return !stat || stat->state == 'Z';
  }));
  EXPECT_FALSE(target_has_run());
}

TEST_F(Held, survives_being_moved) {
  auto first = TargetProcess::spawn_held(plan_that_writes(file()));
  TargetProcess second(std::move(*first));
  ASSERT_TRUE(second.release());
  EXPECT_EQ(second.wait({}).exit.code, 0);
  EXPECT_TRUE(target_has_run());
}

TEST_F(Held, puts_the_signal_state_of_the_caller_back) {
  const auto state = [] {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    struct sigaction on_child {};
    ::sigaction(SIGCHLD, nullptr, &on_child);
    std::string bits;
    for (int signal = 1; signal <= SIGRTMAX; ++signal)
      bits += ::sigismember(&mask, signal) == 1 ? '1' : '0';
    return bits + (on_child.sa_handler == SIG_IGN ? "ignored" : "not ignored");
  };
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, SIGUSR2);
  ::pthread_sigmask(SIG_SETMASK, &one, nullptr);
  std::signal(SIGCHLD, SIG_IGN);
  const std::string before = state();
  {
    auto target = TargetProcess::spawn_held(plan_that_writes(file()));
    EXPECT_NE(state(), before);
  }
  EXPECT_EQ(state(), before);
}

TEST_F(Held, knows_the_status_of_the_target_also_if_SIGCHLD_is_ignored) {
  std::signal(SIGCHLD, SIG_IGN);
  auto target = TargetProcess::spawn_held({program("exit_with"), {"exit_with", "3"}, {}});
  ASSERT_TRUE(target->release());
  EXPECT_EQ(target->wait({}).exit.code, 3);
}

TEST_F(Held, reports_a_child_that_was_killed_before_its_release_as_killed) {
  auto target = TargetProcess::spawn_held(plan_that_writes(file()));
  ::kill(target->pid(), SIGKILL);
  EXPECT_TRUE(target->release());
  EXPECT_EQ(target->wait({}).exit, (ExitStatus{std::nullopt, SIGKILL}));
}

TEST_F(Held, an_empty_file_is_not_executable) {
  EXPECT_EQ(release_error("").kind, FailureKind::kNotExecutable);
}

TEST_F(Held, no_shell_takes_a_file_without_an_interpreter_line) {
  const Error error = release_error("echo run by a shell\n");
  EXPECT_EQ(error.kind, FailureKind::kNotExecutable);
  EXPECT_NE(error.remedy.find("sh " + file()), std::string::npos);
}

TEST_F(Held, a_missing_interpreter_is_named) {
  const Error error = release_error("#! /no/such/interpreter -x\necho\n");
  EXPECT_EQ(error.kind, FailureKind::kNotFound);
  EXPECT_NE(error.message.find("/no/such/interpreter does"), std::string::npos);
}

TEST_F(Held, a_carriage_return_in_the_interpreter_line_is_explained) {
  const Error error = release_error("#!/bin/sh\r\necho\r\n");
  EXPECT_EQ(error.kind, FailureKind::kNotFound);
  EXPECT_NE(error.message.find("carriage return"), std::string::npos);
}

TEST_F(Held, a_file_that_vanished_since_it_was_found_is_not_found) {
  auto target = TargetProcess::spawn_held({file(), {"file"}, {}});
  EXPECT_EQ(target->release().error().kind, FailureKind::kNotFound);
}

TEST_F(Held, too_many_arguments_are_refused) {
  constexpr std::size_t kMoreThanTheKernelTakes = 256UL * 1024;  // MAX_ARG_STRLEN is 128 KiB
  auto target = TargetProcess::spawn_held(
      {program("exit_with"), {"exit_with", std::string(kMoreThanTheKernelTakes, '0')}, {}});
  EXPECT_EQ(target->release().error().kind, FailureKind::kRefused);
}

TEST_F(Held, runs_a_program_that_may_be_executed_but_not_read) {
  std::filesystem::copy_file(program("exit_with"), file());
  ASSERT_EQ(::chmod(file().c_str(), 0111), 0);
  ASSERT_EQ(::chmod(std::filesystem::path(file()).parent_path().c_str(), 0755), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(99);
    auto target = TargetProcess::spawn_held({file(), {"file", "7"}, {}});
    const bool released = target->release().has_value();
    ::_exit(released ? target->wait({}).exit.code.value_or(97) : 98);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace bops
