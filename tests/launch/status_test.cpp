// bops ends as its target ended.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>

#include "../platform/temporary_directory.hpp"
#include "driver.hpp"

namespace bops {
namespace {

TEST(ExitLike, exits_with_the_code_of_the_target) {
  for (const int code : {0, 1, 42, 125, 126, 127, 137, 255}) {
    const int status = run(driven({program("exit_with"), std::to_string(code)})).status;
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == code) << code;
  }
}

TEST(ExitLike, dies_by_the_signal_of_the_target) {
  for (const int signal :
       {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGSEGV,
        SIGPIPE, SIGALRM, SIGTERM, SIGXFSZ, SIGSYS, SIGRTMIN + 3}) {
    const int status = run(driven({program("die_by"), std::to_string(signal)})).status;
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << signal;
  }
}

TEST(ExitLike, dies_by_the_signal_even_if_it_was_ignored_and_blocked) {
  const int status = run(driven({program("die_by"), std::to_string(SIGTERM)}), [] {
                       std::signal(SIGTERM, SIG_IGN);
                       sigset_t mask;
                       ::sigfillset(&mask);
                       ::sigprocmask(SIG_SETMASK, &mask, nullptr);
                     }).status;
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

TEST(ExitLike, leaves_no_core_file_of_its_own) {
  const TemporaryDirectory directory;
  const auto with_core = [&] {
    std::filesystem::current_path(directory.path());
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_CORE, &limit);
  };
  for (const char* name : {"crash", "die_by"}) {  // neither leaves one of its own
    const int status = run(driven({program(name), std::to_string(SIGSEGV)}), with_core).status;
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    EXPECT_FALSE(WCOREDUMP(status));
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  }
}

TEST(ResourceUsage, is_that_of_the_target_and_its_children) {
  const TemporaryDirectory directory;
  const std::string report = directory / "report";
  const auto usage_of = [&](const std::string& iterations) {
    EXPECT_EQ(run(driven({program("fork_tree"), "2", iterations}, {"--report", report})).status, 0);
    return read_report(report);
  };
  auto small = usage_of("1000");
  auto large = usage_of("200000000");  // 600 million iterations in the two children
  constexpr std::uint64_t kHundredMs = 100'000'000;
  EXPECT_LT(small["user_cpu_ns"], kHundredMs);
  EXPECT_GT(large["user_cpu_ns"], kHundredMs);
  // No process can use more than both of its children's cores for the time it took.
  EXPECT_LT(large["user_cpu_ns"], 3 * large["wall_ns"]);
  EXPECT_GT(large["minor_faults"], 0U);
}

TEST(ResourceUsage, counts_resident_memory_in_bytes) {
  const TemporaryDirectory directory;
  const std::string report = directory / "report";
  rusage before{};
  ASSERT_EQ(run(driven({program("threads"), "200", "10"}, {"--report", report})).status, 0);
  ::getrusage(RUSAGE_CHILDREN, &before);
  const std::uint64_t resident = read_report(report)["max_resident_bytes"];
  // 200 threads touch at least a page of stack each; no child of this test was ever larger than
  // what the kernel says of all of them.
  EXPECT_GT(resident, 200U * 4096U);
  EXPECT_LE(resident, static_cast<std::uint64_t>(before.ru_maxrss) * 1024U);
}

}  // namespace
}  // namespace bops
