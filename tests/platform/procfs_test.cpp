#include "platform/procfs.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <thread>

namespace bops {
namespace {

/// A child that waits to be killed.
class Child {
 public:
  Child() : pid_(::fork()) {
    while (pid_ == 0) ::pause();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Ended, but not reaped.
  void make_zombie() const {
    ::kill(pid_, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }

 private:
  pid_t pid_;
};

constexpr std::string_view kRest =
    " 41 42 43 44 -1 4194304 1 2 3 4 5 6 7 8 20 0 17 0 98765432109 4096 7 0\n";

TEST(Procfs, finds_the_fields_behind_any_name) {
  for (const std::string name : {"cat", "", "a b", "x) R 1 (y", ") ", "((", ")))", "a\nb) S 9"}) {
    const auto stat = parse_process_stat("40 (" + name + ") S" + std::string(kRest));
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->state, 'S') << name;
    EXPECT_EQ(stat->ppid, 41) << name;
    EXPECT_EQ(stat->threads, 17U) << name;
    EXPECT_EQ(stat->start_ticks, 98765432109U) << name;
  }
}

TEST(Procfs, makes_nothing_of_content_cut_off_anywhere_before_the_start_time) {
  const std::string whole = "40 (cat) S" + std::string(kRest);
  const std::size_t start = whole.find("98765432109");
  for (std::size_t length = 0; length <= start; ++length)
    EXPECT_FALSE(parse_process_stat(whole.substr(0, length))) << length;
  EXPECT_TRUE(parse_process_stat(whole.substr(0, start + 11)));
}

TEST(Procfs, makes_nothing_of_fields_that_are_no_numbers) {
  EXPECT_FALSE(parse_process_stat("40 (cat) S x 42 43 44 -1 4 1 2 3 4 5 6 7 8 20 0 17 0 9 "));
  EXPECT_FALSE(parse_process_stat("40 (cat) S 41 42 43 44 -1 4 1 2 3 4 5 6 7 8 20 0 17 0 9z "));
  EXPECT_FALSE(parse_process_stat("40 (cat) SS 41 42 43 44 -1 4 1 2 3 4 5 6 7 8 20 0 17 0 9 "));
}

TEST(Procfs, reads_its_own_process_under_a_hostile_name) {
  ASSERT_EQ(::prctl(PR_SET_NAME, "x) R 1 (\n"), 0);
  const auto stat = read_process_stat(::getpid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->ppid, ::getppid());
  EXPECT_EQ(read_comm(::getpid(), ::getpid()).value(), "x) R 1 (\n");
}

TEST(Procfs, reads_the_name_of_a_single_thread) {
  std::string name;
  std::thread([&name] {
    ::prctl(PR_SET_NAME, "only this one");
    name = read_comm(::getpid(), ::gettid()).value();
  }).join();
  EXPECT_EQ(name, "only this one");
  EXPECT_NE(read_comm(::getpid(), ::getpid()).value(), "only this one");
}

TEST(Procfs, reads_the_executable_of_a_child) {
  const Child child;
  EXPECT_EQ(read_executable(child.pid()).value(),
            std::filesystem::read_symlink("/proc/self/exe").string());
}

TEST(Procfs, a_process_is_alive_until_it_ends_even_before_it_is_reaped) {
  const Child child;
  const std::uint64_t start = read_process_stat(child.pid())->start_ticks;
  EXPECT_TRUE(is_alive(child.pid(), start));
  child.make_zombie();
  EXPECT_FALSE(is_alive(child.pid(), start));
}

TEST(Procfs, another_process_with_the_same_id_is_not_the_one_asked_for) {
  const std::uint64_t start = read_process_stat(::getpid())->start_ticks;
  EXPECT_TRUE(is_alive(::getpid(), start));
  EXPECT_FALSE(is_alive(::getpid(), start + 1));
}

TEST(Procfs, a_process_whose_first_thread_has_ended_is_alive) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::thread([] { ::pause(); }).detach();
    ::syscall(SYS_exit, 0);  // of this thread alone
  }
  ProcessStat stat;
  for (int i = 0; i < 500 && stat.state != 'Z'; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    stat = read_process_stat(child).value();
  }
  EXPECT_EQ(stat.state, 'Z');
  EXPECT_TRUE(is_alive(child, stat.start_ticks));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(Procfs, lists_the_children_of_all_threads) {
  const Child first;
  pid_t second = 0;
  std::thread([&second] {
    second = ::fork();
    while (second == 0) ::pause();
  }).join();
  auto children = read_children(::getpid());
  EXPECT_EQ(children.size(), 2U);
  EXPECT_NE(std::find(children.begin(), children.end(), first.pid()), children.end());
  for (const pid_t child : children)
    if (child != first.pid()) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
}

TEST(Procfs, says_why_a_process_cannot_be_read) {
  constexpr pid_t kNoSuchProcess = 0x3FFFFFFF;  // above the kernel's PID_MAX_LIMIT of 2^22
  EXPECT_FALSE(read_process_stat(kNoSuchProcess));
  EXPECT_FALSE(read_executable(kNoSuchProcess).error().message.empty());
  EXPECT_FALSE(read_comm(kNoSuchProcess, kNoSuchProcess));
  EXPECT_FALSE(is_alive(kNoSuchProcess, 0));
  EXPECT_TRUE(read_children(kNoSuchProcess).empty());
}

}  // namespace
}  // namespace bops
