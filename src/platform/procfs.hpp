// What /proc says about processes and threads (proc(5)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/error.hpp"

namespace bops {

/// The fields of /proc/PID/stat that identify a process.
struct ProcessStat {
  char state = '?';               ///< field 3: 'R', 'S', 'T' stopped, 'Z' zombie, ...
  pid_t ppid = 0;                 ///< field 4
  std::uint32_t threads = 0;      ///< field 20, ended but unreaped leader included
  std::uint64_t start_ticks = 0;  ///< field 22, clock ticks (sysconf(_SC_CLK_TCK)) since boot
  /// Field 52, as in wait status >> 8: of a process in a tracing stop ('t') the stop that its
  /// tracer has not waited for yet, else 0; while job control has it stopped, the signal that did,
  /// or 0 (do_task_stat(), ptrace_stop() and wait_task_stopped() of Linux). 0 where it is hidden.
  std::int32_t stop_code = 0;
};

/// Parses the content of /proc/PID/stat; nothing if it is malformed. The name in field 2 may hold
/// any bytes, also ") R 1 (": the last ')' ends it, as none of the later fields can contain one.
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view content);

[[nodiscard]] Result<ProcessStat> read_process_stat(pid_t pid);

/// False in a PID namespace whose /proc is that of another one: the ids there are other processes'.
[[nodiscard]] bool proc_is_of_own_namespace();

/// Whether that thread or process is a zombie, or not there.
[[nodiscard]] bool has_ended(pid_t tid);

/// The name of a thread (at most 15 bytes, any but NUL).
[[nodiscard]] Result<std::string> read_comm(pid_t pid, pid_t tid);

/// Absolute path of the executable; " (deleted)" is at its end if that file is gone.
[[nodiscard]] Result<std::string> read_executable(pid_t pid);

/// Whether the process that started at `start_ticks` is still there and has not ended. Process ids
/// recur; pid and start together do not.
[[nodiscard]] bool is_alive(pid_t pid, std::uint64_t start_ticks);

/// argv as the process has it now; empty if there is none.
[[nodiscard]] std::vector<std::string> read_command_line(pid_t pid);

/// The threads of a process; empty if there is none. Exact only if none comes or goes meanwhile.
[[nodiscard]] std::vector<pid_t> read_threads(pid_t pid);

/// The process that a thread belongs to.
[[nodiscard]] std::optional<pid_t> read_process_of_thread(pid_t tid);

/// The first number behind "FIELD:" in a file such as /proc/PID/status.
[[nodiscard]] std::optional<std::int64_t> read_status_number(const std::string& path,
                                                             std::string_view field);

/// The children of all threads of a process, zombies included. Exact only if none of them comes or
/// goes meanwhile; empty where the kernel lacks CONFIG_PROC_CHILDREN.
[[nodiscard]] std::vector<pid_t> read_children(pid_t pid);

}  // namespace bops
