#include "usage/cpu_time.hpp"

#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>

#include "platform/files.hpp"
#include "platform/procfs.hpp"

namespace bops {
namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

/// Clock ticks that the waited-for children of a process have used.
std::uint64_t waited_for_ticks(pid_t pid) {
  const std::string stat = read_file_whole("/proc/" + std::to_string(pid) + "/stat").value_or("");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(stat.substr(name_end + 2));
  std::string skipped;
  for (int field = 3; field < 16; ++field) fields >> skipped;
  std::uint64_t user = 0, system = 0;
  fields >> user >> system;
  return fields ? user + system : 0;
}

std::optional<CpuTime> of_process(pid_t pid) {
  clockid_t clock{};
  timespec own{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &own) != 0)
    return std::nullopt;
  const std::uint64_t tick_ns = kNsPerSecond / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::uint64_t ticks = waited_for_ticks(pid);
  return CpuTime{static_cast<std::uint64_t>(own.tv_sec) * kNsPerSecond +
                     static_cast<std::uint64_t>(own.tv_nsec) + ticks * tick_ns,
                 ticks > 0 ? 2 * tick_ns : 0};  // user and system time are cut down each
}

void add_below(pid_t pid, int depth, CpuTime& sum) {
  constexpr int kMaxDepth = 1000;  // should /proc ever show a ring
  for (const pid_t child : read_children(pid)) {
    if (const auto time = of_process(child)) {
      sum.used_ns += time->used_ns;
      sum.uncertain_ns += time->uncertain_ns;
    }
    if (depth < kMaxDepth) add_below(child, depth + 1, sum);
  }
}

std::uint64_t nanoseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * kNsPerSecond +
         static_cast<std::uint64_t>(time.tv_usec) * 1000;
}

}  // namespace

CpuTime CpuTimeMeter::of_descendants() {
  rusage waited_for{};
  ::getrusage(RUSAGE_CHILDREN, &waited_for);
  CpuTime sum{nanoseconds(waited_for.ru_utime) + nanoseconds(waited_for.ru_stime), 2000};
  add_below(::getpid(), 0, sum);
  return sum;
}

CpuTime CpuTimeMeter::of_processes(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) {
    const auto time = of_process(pid);
    if (!time) continue;
    const auto [attached, is_new] = attached_.try_emplace(pid, Attached{*time, *time});
    if (!is_new) attached->second.last = *time;
  }
  CpuTime sum;
  for (const auto& [pid, attached] : attached_) {
    sum.used_ns += attached.last.used_ns - attached.first.used_ns;
    sum.uncertain_ns += attached.last.uncertain_ns + attached.first.uncertain_ns;
  }
  return sum;
}

}  // namespace bops
