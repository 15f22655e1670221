// CPU time that processes have used so far.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <vector>

namespace bops {

struct CpuTime {
  std::uint64_t used_ns = 0;
  std::uint64_t uncertain_ns = 0;  ///< `used_ns` may be short of the truth by so much
  bool complete = true;            ///< false: short of it by what nobody knows
};

/// Sums user and system time. The time of a process is the kernel's own to the nanosecond (its CPU
/// clock, clock_getcpuclockid(3)); that of waited-for children comes in clock ticks
/// (/proc/PID/stat, fields 16 and 17).
class CpuTimeMeter {
 public:
  /// Of all descendants of this process: those that live, and those it has waited for.
  [[nodiscard]] CpuTime of_descendants();
  /// Of these processes and those of the calls before, themselves and not their children, since the
  /// first time that each was in the list. Not complete where one of them has ended since it was
  /// last looked at, or was not in the list of the first call.
  [[nodiscard]] CpuTime of_processes(const std::vector<pid_t>& pids);

 private:
  struct Attached {
    std::uint64_t first_ns;
    std::uint64_t last_ns;
  };
  std::map<pid_t, Attached> attached_;
  bool attached_before_ = false;
  bool complete_ = true;
};

}  // namespace bops
