// Groups of perf_event_open(2) on a thread of another process, with page faults.
#include "collectors/pmu/perf_counters.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "collectors/pmu/shared_groups.hpp"
#include "counted_run.hpp"
#include "platform/unique_fd.hpp"

namespace bops::pmu {
namespace {

constexpr std::size_t kPages = 50;

std::int64_t cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

/// Touches fresh pages, and stays on its CPU far longer than two clocks may differ.
void work() {
  constexpr std::size_t kPage = 4096;
  constexpr std::int64_t kBusyNs = 20'000'000;
  const std::int64_t end_ns = cpu_ns() + kBusyNs;
  void* const memory =
      ::mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) ::_exit(1);
  ::madvise(memory, kPages * kPage, MADV_NOHUGEPAGE);
  for (std::size_t i = 0; i < kPages; ++i) static_cast<volatile char*>(memory)[i * kPage] = 1;
  while (cpu_ns() < end_ns) {
  }
}

/// A child that waits, works when it is told to, says so, and so on until its end is wanted.
class Worker {
 public:
  Worker() {
    std::array<int, 2> to{};
    std::array<int, 2> from{};
    if (::pipe(to.data()) != 0 || ::pipe(from.data()) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(to[1]);
      char order = 0;
      while (::read(to[0], &order, 1) == 1) {
        work();
        if (::write(from[1], &order, 1) != 1) break;
      }
      ::_exit(0);
    }
    ::close(to[0]);
    ::close(from[1]);
    to_.reset(to[1]);
    from_.reset(from[0]);
  }
  ~Worker() { end(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void work_once() const {
    char order = 'w';
    ASSERT_EQ(::write(to_.get(), &order, 1), 1);
    ASSERT_EQ(::read(from_.get(), &order, 1), 1);
  }
  /// Opens its counters while it executes nothing.
  [[nodiscard]] Result<std::unique_ptr<OpenCounters>> open(PerfCounters& perf) const {
    constexpr auto kSeize = static_cast<__ptrace_request>(PTRACE_SEIZE);
    constexpr auto kInterrupt = static_cast<__ptrace_request>(PTRACE_INTERRUPT);
    EXPECT_EQ(::ptrace(kSeize, pid_, nullptr, nullptr), 0);
    EXPECT_EQ(::ptrace(kInterrupt, pid_, nullptr, nullptr), 0);
    EXPECT_EQ(::waitpid(pid_, nullptr, __WALL), pid_);
    unsigned long message = 0;  // any request waits until it is off its CPU
    EXPECT_EQ(::ptrace(PTRACE_GETEVENTMSG, pid_, nullptr, &message), 0);
    auto opened = perf.open(pid_, Start::kStopped);
    EXPECT_EQ(::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr), 0);
    return opened;
  }
  void end() {
    to_.reset();
    if (std::exchange(has_ended_, true)) return;
    EXPECT_EQ(::waitpid(pid_, nullptr, 0), pid_);
  }

 private:
  pid_t pid_ = 0;
  UniqueFd to_;
  UniqueFd from_;
  bool has_ended_ = false;
};

TEST(PerfCounters, that_were_stopped_keep_what_they_had_and_are_not_taken_for_lost) {
  PerfCounters perf(software_events(), false);
  Worker worker;
  const auto counters = worker.open(perf);
  ASSERT_TRUE(counters) << counters.error().message;
  ASSERT_NE((*counters)->shared(), nullptr);
  worker.work_once();
  (*counters)->shared()->stop();
  const auto before = (*counters)->read();
  worker.work_once();
  for (const bool ended : {false, true}) {
    if (ended) worker.end();
    const auto after = (*counters)->read();
    ASSERT_TRUE(before && after);
    EXPECT_EQ(after->state, Reading::State::kWhole);
    EXPECT_EQ(after->counts.total, before->counts.total);
    EXPECT_GE(after->counts.total, kPages);
  }
}

}  // namespace
}  // namespace bops::pmu
