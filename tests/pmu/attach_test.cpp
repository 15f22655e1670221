// Processes that run already are counted from then on, and left as they were.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <set>
#include <thread>

#include "counted_run.hpp"
#include "launch/attached_processes.hpp"
#include "platform/clock.hpp"
#include "platform/procfs.hpp"
#include "platform/unique_fd.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops::pmu {
namespace {

using std::chrono::milliseconds;

/// A program of ours that somebody else started.
class Started {
 public:
  explicit Started(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::execv(arguments[0], arguments.data());
      ::_exit(99);
    }
  }
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;
  ~Started() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  void wait_for_threads(std::size_t count) const {
    for (int i = 0; i < 2000 && read_threads(pid_).size() < count; ++i)
      std::this_thread::sleep_for(milliseconds(5));
  }
  [[nodiscard]] char state() const { return read_process_stat(pid_)->state; }
  /// The status of waitpid(2), as its parent sees it.
  int end() {
    int status = -1;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
};

/// Where a script waits until it is let through.
class Gate {
 public:
  Gate() { EXPECT_EQ(::mkfifo((directory_ / "fifo").c_str(), 0600), 0); }
  /// The words of the script that wait.
  [[nodiscard]] std::string wait() const { return "read line < " + (directory_ / "fifo") + "; "; }
  /// Returns once the script has come here.
  void meet() { fifo_ = UniqueFd(::open((directory_ / "fifo").c_str(), O_WRONLY)); }
  void let_through() {
    EXPECT_EQ(::write(fifo_.get(), "\n", 1), 1);
    fifo_.reset();
  }

 private:
  harness::TemporaryDirectory directory_;
  UniqueFd fifo_;
};

class Attached : public ::testing::Test {
 protected:
  Attached() : collector_("perf", Division::kPerf, software_events()) {
    LaunchPlan plan;
    EXPECT_TRUE(collector_.configure({.snapshots = true}));
    EXPECT_TRUE(collector_.prepare(plan, {"", mono_ns()}));
  }
  Result<AttachedProcesses> attach(const std::vector<pid_t>& pids) {
    return AttachedProcesses::attach(
        pids, [this](const ThreadEvent& event) { (void)collector_.on_thread_event(event); });
  }
  RunCounts counts() { return *collector_.collect(); }

 private:
  HardwareCollector collector_;
};

TEST_F(Attached, all_threads_of_all_processes_are_there_and_go_on_afterwards) {
  Started first({program("threads"), "5", "4000000000"});
  Started second({program("threads"), "7", "4000000000"});
  first.wait_for_threads(6);
  second.wait_for_threads(8);
  {
    auto attached = attach({first.pid(), second.pid()});
    ASSERT_TRUE(attached) << attached.error().message;
    attached->wait(milliseconds(100), {});
    const RunCounts found = counts();
    EXPECT_EQ(found.threads.size(), 14U);
    EXPECT_EQ(found.processes.size(), 2U);
    for (const ThreadCounts& thread : found.threads) EXPECT_FALSE(thread.end_ns.has_value());
    attached->detach();
  }
  for (const Started* process : {&first, &second}) {
    EXPECT_NE(process->state(), 't');
    EXPECT_EQ(
        read_status_number("/proc/" + std::to_string(process->pid()) + "/status", "TracerPid"), 0);
  }
}

TEST_F(Attached, new_threads_and_children_are_counted_and_the_end_of_all_is_noticed) {
  Gate gate;
  Started process({"/bin/sh", "-c", gate.wait() + program("touch_pages") + " 6 100; exit 3"});
  gate.meet();
  {
    auto attached = attach({process.pid()});
    ASSERT_TRUE(attached) << attached.error().message;
    gate.let_through();
    attached->wait(std::nullopt, {});
    const RunCounts found = counts();
    std::size_t workers = 0;
    for (const ThreadCounts& thread : found.threads) {
      if (!thread.name.starts_with("pages-")) continue;
      ++workers;
      const std::uint64_t expected = std::stoull(thread.name.substr(6)) * 100;
      EXPECT_GE(thread.counts.instructions.total, expected);
      EXPECT_LE(thread.counts.instructions.total, expected + 16);
    }
    EXPECT_EQ(workers, 6U);
    EXPECT_EQ(found.quality, Quality::kExact);
  }
}

TEST_F(Attached, a_stopped_process_stays_stopped_and_can_be_continued) {
  Started process({program("busy_loop")});
  std::this_thread::sleep_for(milliseconds(20));
  ::kill(process.pid(), SIGSTOP);
  for (int i = 0; i < 400 && process.state() != 'T'; ++i)
    std::this_thread::sleep_for(milliseconds(5));
  {
    auto attached = attach({process.pid()});
    ASSERT_TRUE(attached) << attached.error().message;
    attached->wait(milliseconds(50), {});
    attached->detach();
  }
  for (int i = 0; i < 20 && process.state() != 'T'; ++i)  // on its way there
    std::this_thread::sleep_for(milliseconds(1));
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(process.state(), 'T');
  ::kill(process.pid(), SIGCONT);
  for (int i = 0; i < 400 && process.state() != 'R'; ++i)
    std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(process.state(), 'R');
}

TEST_F(Attached, the_parent_of_a_process_gets_its_status_and_bops_does_not_reap_it) {
  Gate gate;
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    Started process({"/bin/sh", "-c", gate.wait() + "exit 9"});
    const int status = process.end();
    (void)!::write(pipe[1], &status, sizeof status);
    ::pause();
  }
  gate.meet();
  const std::vector<pid_t> children = read_children(parent);
  ASSERT_EQ(children.size(), 1U);
  {
    auto attached = attach({children.front()});
    ASSERT_TRUE(attached) << attached.error().message;
    gate.let_through();
    attached->wait(std::nullopt, {});
  }
  int status = 0;
  ASSERT_EQ(::read(pipe[0], &status, sizeof status), static_cast<ssize_t>(sizeof status));
  EXPECT_EQ(WEXITSTATUS(status), 9);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
}

TEST_F(Attached, what_is_not_there_is_refused) {
  Started process({program("exit_with"), "0"});
  const pid_t pid = process.pid();
  (void)process.end();
  const auto attached = attach({pid});
  ASSERT_FALSE(attached);
  EXPECT_NE(attached.error().message.find("no such process"), std::string::npos);
}

TEST_F(Attached, a_thread_is_not_taken_for_a_process) {
  Started process({program("threads"), "1", "4000000000"});
  process.wait_for_threads(2);
  const pid_t thread = read_threads(process.pid()).back();
  ASSERT_NE(thread, process.pid());
  const auto attached = attach({thread});
  ASSERT_FALSE(attached);
  EXPECT_NE(attached.error().remedy.find("-p " + std::to_string(process.pid())), std::string::npos);
}

/// Traces one thread of somebody else's until it is killed.
class Tracer {
 public:
  explicit Tracer(pid_t tid) {
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe(ready.data()), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const bool seized = ::ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) == 0;
      const char answer = seized ? 'y' : 'n';
      if (::write(ready[1], &answer, 1) == 1) ::pause();
      ::_exit(1);
    }
    char answer = 'n';
    EXPECT_EQ(::read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    for (const int end : ready) ::close(end);
  }
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  ~Tracer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST_F(Attached, a_thread_that_another_tracer_holds_is_not_left_out_silently) {
  Started process({program("threads"), "2", "4000000000"});
  process.wait_for_threads(3);
  const Tracer tracer(read_threads(process.pid()).back());
  const auto attached = attach({process.pid()});
  ASSERT_FALSE(attached);
  EXPECT_NE(attached.error().message.find("process " + std::to_string(tracer.pid()) + " traces it"),
            std::string::npos)
      << attached.error().message;
  EXPECT_EQ(read_status_number("/proc/" + std::to_string(process.pid()) + "/status", "TracerPid"),
            0);
}

TEST_F(Attached, members_of_a_group_may_be_gone_and_those_that_refuse_are_told_of) {
  Started gone({program("exit_with"), "0"});
  const pid_t gone_pid = gone.pid();
  (void)gone.end();
  Started held({program("busy_loop")});
  Started free({program("busy_loop")});
  const Tracer tracer(held.pid());
  const auto ignore = [](const ThreadEvent&) {};
  auto attached =
      AttachedProcesses::attach_members({gone_pid, ::getpid(), held.pid(), free.pid()}, ignore);
  ASSERT_TRUE(attached) << attached.error().message;
  ASSERT_EQ(attached->left_out().size(), 1U);
  EXPECT_EQ(attached->left_out().begin()->first, held.pid());
  EXPECT_EQ(read_status_number("/proc/" + std::to_string(free.pid()) + "/status", "TracerPid"),
            ::getpid());
  attached->detach();
  EXPECT_FALSE(AttachedProcesses::attach_members({held.pid()}, ignore));
  EXPECT_TRUE(AttachedProcesses::attach_members({gone_pid}, ignore));
}

TEST_F(Attached, newcomers_are_attached_as_they_appear) {
  Started first({program("busy_loop")});
  Started second({program("busy_loop")});
  std::this_thread::sleep_for(milliseconds(20));
  auto attached = attach({first.pid()});
  ASSERT_TRUE(attached);
  attached->wait(milliseconds(1300), {}, [&] {
    return std::vector<pid_t>{first.pid(), second.pid()};
  });
  const RunCounts found = counts();
  std::set<pid_t> pids;
  for (const ProcessCounts& process : found.processes) pids.insert(process.pid);
  EXPECT_EQ(pids, (std::set<pid_t>{first.pid(), second.pid()}));
  attached->detach();
}

}  // namespace
}  // namespace bops::pmu
