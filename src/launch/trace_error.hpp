// Why a process may not be followed by ptrace(2), in a sentence and a remedy.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "model/error.hpp"

namespace bops {

/// What stands in the way of ptrace(2), as /proc tells it. Absent where it does not.
struct TraceObstacles {
  std::optional<int> yama_scope;    ///< /proc/sys/kernel/yama/ptrace_scope (Yama.rst of Linux)
  std::optional<pid_t> tracer;      ///< who traces the process already; 0: nobody
  std::optional<int> seccomp_mode;  ///< of this process: 2 is a filter (proc(5), status)
  std::optional<uid_t> owner;       ///< real user of the process
  bool is_zombie = false;           ///< it has ended, and its parent has not asked for that
  bool is_kernel_thread = false;    ///< a child of kthreadd, or that itself
};

/// `proc` is where procfs is mounted.
[[nodiscard]] TraceObstacles read_trace_obstacles(pid_t pid, const std::string& proc = "/proc");

/// The Error for `error`, the errno of PTRACE_SEIZE of `pid`: a process that runs already, or
/// bops's own child.
[[nodiscard]] Error trace_error(pid_t pid, int error, const TraceObstacles& obstacles,
                                bool runs_already = false);

}  // namespace bops
