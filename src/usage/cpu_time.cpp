#include "usage/cpu_time.hpp"

#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
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

/// Nothing if there is no such process, or none that may be looked at.
std::optional<std::uint64_t> own_ns(pid_t pid) {
  clockid_t clock{};
  timespec own{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &own) != 0)
    return std::nullopt;
  return static_cast<std::uint64_t>(own.tv_sec) * kNsPerSecond +
         static_cast<std::uint64_t>(own.tv_nsec);
}

/// With the children that it has waited for.
std::optional<CpuTime> of_process(pid_t pid) {
  const auto own = own_ns(pid);
  if (!own) return std::nullopt;
  const std::uint64_t tick_ns = kNsPerSecond / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::uint64_t ticks = waited_for_ticks(pid);
  return CpuTime{*own + ticks * tick_ns,
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
  std::set<pid_t> living;
  for (const pid_t pid : pids) {
    const auto now_ns = own_ns(pid);
    if (!now_ns) continue;
    living.insert(pid);
    const auto [attached, is_new] = attached_.try_emplace(pid, Attached{*now_ns, *now_ns});
    attached->second.last_ns = std::max(attached->second.last_ns, *now_ns);
    if (is_new && attached_before_) complete_ = false;
  }
  attached_before_ = true;
  CpuTime sum;
  for (const auto& [pid, attached] : attached_) {
    sum.used_ns += attached.last_ns - attached.first_ns;
    if (!living.contains(pid)) complete_ = false;
  }
  sum.complete = complete_;
  return sum;
}

}  // namespace bops
