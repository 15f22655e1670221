// What the target gets is what its user's shell would have given it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "../platform/temporary_directory.hpp"
#include "driver.hpp"
#include "platform/files.hpp"

namespace bops {
namespace {

TEST(Launcher, passes_200_arguments_with_odd_bytes_unchanged) {
  Words command{program("print_arguments"), "", "--", "-o", "*", "$HOME", "a\nb", "\xFF\xFE"};
  for (int i = 0; command.size() < 201; ++i) {
    const auto byte = static_cast<char>(1 + i % 255);
    command.push_back(std::to_string(i) + byte + std::string(static_cast<std::size_t>(i), byte));
  }
  std::string expected;
  for (const std::string& word : command) expected += word + '\0';
  EXPECT_EQ(run(driven(command)).out, expected);
}

TEST(Launcher, leaves_a_relative_argv0_as_it_is) {
  const Finished driver = run(driven({"./print_arguments", "x"}),
                              [] { std::filesystem::current_path(BOPS_TEST_PROGRAMS_DIR); });
  EXPECT_EQ(driver.out, std::string("./print_arguments\0x\0", 20));
}

TEST(Launcher, runs_a_script_with_its_arguments_and_status) {
  const Finished driver = run(driven({program("script.sh"), "a b", ""}));
  EXPECT_EQ(driver.out, "a b\n\n");
  EXPECT_EQ(WEXITSTATUS(driver.status), 9);
}

TEST(Launcher, tells_a_missing_command_and_a_directory_by_their_status) {
  const Finished missing = run(driven({"/no/such/program"}));
  EXPECT_EQ(WEXITSTATUS(missing.status), 127);
  EXPECT_NE(missing.err.find("/no/such/program"), std::string::npos);
  EXPECT_EQ(WEXITSTATUS(run(driven({"/tmp"})).status), 126);
}

/// show_inheritance by itself and under the driver, both started by a process so prepared.
/// `evidence` is in what they say if the setup had its effect.
void expect_same(const Setup& setup, const std::string& evidence) {
  const Finished alone = run({program("show_inheritance")}, setup);
  const Finished under = run(driven({program("show_inheritance")}), setup);
  EXPECT_EQ(under.out, alone.out);
  EXPECT_NE(alone.out.find(evidence), std::string::npos) << alone.out;
}

TEST(Launcher, gives_the_target_exactly_the_descriptors_of_its_parent) {
  expect_same([] { ::dup2(STDERR_FILENO, 57); }, "descriptor 57 2");
  // Descriptors of ours could take the place of closed ones.
  expect_same(
      [] {
        ::close(STDIN_FILENO);
        ::close(STDERR_FILENO);
      },
      "start\ndescriptor 1 ");
}

TEST(Launcher, gives_the_target_the_signal_mask_of_its_parent) {
  expect_same(
      [] {
        sigset_t mask;
        ::sigemptyset(&mask);
        ::sigaddset(&mask, SIGUSR1);
        ::sigaddset(&mask, SIGTERM);
        ::sigprocmask(SIG_SETMASK, &mask, nullptr);
      },
      "SigBlk:\t0000000000004200");
}

TEST(Launcher, leaves_ignored_signals_ignored) {
  expect_same(
      [] {
        for (const int signal : {SIGINT, SIGPIPE, SIGCHLD, SIGHUP}) std::signal(signal, SIG_IGN);
      },
      "SigIgn:\t0000000000011003");
}

TEST(Launcher, leaves_limits_and_directory_alone) {
  expect_same(
      [] {
        const rlimit few{50, 60};
        ::setrlimit(RLIMIT_NOFILE, &few);
        std::filesystem::current_path("/usr");
      },
      "directory /usr\nlimit 50");
}

TEST(Launcher, keeps_the_target_in_its_own_process_group) {
  expect_same({}, "group " + std::to_string(::getpgrp()) + "\n");
}

TEST(Launcher, is_not_disturbed_by_a_target_that_changes_itself) {
  const TemporaryDirectory directory;
  EXPECT_EQ(WEXITSTATUS(run(driven({program("close_all_descriptors")})).status), 7);
  EXPECT_EQ(run(driven({program("limit_self")})).status, 0);
  EXPECT_EQ(run(driven({program("own_process_group")})).status, 0);
  EXPECT_EQ(run(driven({program("own_process_group"), "session"})).status, 0);
  EXPECT_EQ(run(driven({program("change_directory"), directory.path()})).status, 0);
  EXPECT_TRUE(std::filesystem::exists(directory / "deeper/was_here"));
}

TEST(Launcher, does_not_touch_the_stream_of_a_target_that_floods_it) {
  EXPECT_EQ(run(driven({program("flood_stderr"), "3"})).err.size(), 3U << 20U);
}

}  // namespace
}  // namespace bops
