#include "launch/trace_error.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "platform/files.hpp"
#include "platform/procfs.hpp"

namespace bops {
namespace {

constexpr int kSeccompFilter = 2;
constexpr int kYamaChildrenOnly = 1;
constexpr int kYamaAdministrators = 2;
constexpr int kYamaNobody = 3;
constexpr pid_t kKthreadd = 2;

template <class Number>
std::optional<Number> status_number(const std::string& path, std::string_view field) {
  const auto status = read_status_number(path, field);
  if (!status) return std::nullopt;
  return static_cast<Number>(*status);
}

}  // namespace

TraceObstacles read_trace_obstacles(pid_t pid, const std::string& proc) {
  TraceObstacles obstacles;
  if (const auto scope = read_file_whole(proc + "/sys/kernel/yama/ptrace_scope");
      scope && !scope->empty() && scope->front() >= '0' && scope->front() <= '9')
    obstacles.yama_scope = scope->front() - '0';
  const std::string status = proc + "/" + std::to_string(pid) + "/status";
  obstacles.tracer = status_number<pid_t>(status, "TracerPid");
  obstacles.owner = status_number<uid_t>(status, "Uid");
  obstacles.seccomp_mode = status_number<int>(proc + "/self/status", "Seccomp");
  if (const auto text = read_file_whole(proc + "/" + std::to_string(pid) + "/stat"))
    if (const auto stat = parse_process_stat(*text)) {
      obstacles.is_zombie = stat->state == 'Z';
      obstacles.is_kernel_thread = stat->ppid == kKthreadd || (pid == kKthreadd && stat->ppid == 0);
    }
  return obstacles;
}

Error trace_error(pid_t pid, int error, const TraceObstacles& obstacles, bool runs_already) {
  const std::string without_tracing = runs_already ? "count it from its start: bops run --no-ptrace"
                                                   : "count without following threads: --no-ptrace";
  const std::string cannot = "cannot follow the threads of process " + std::to_string(pid) + ": ";
  if (error == ESRCH)
    return {cannot + "there is no such process", "look for its id again", FailureKind::kRefused};
  if (obstacles.is_zombie)
    return {cannot + "it has ended, and waits for its parent to ask how", "look for its id again",
            FailureKind::kRefused};
  if (obstacles.is_kernel_thread)
    return {cannot + "it is a part of the kernel", "name a process that executes a program",
            FailureKind::kRefused};
  if (error != EPERM && error != EACCES)
    return {cannot + std::generic_category().message(error), without_tracing,
            FailureKind::kRefused};
  if (obstacles.tracer.value_or(0) != 0)
    return {cannot + "process " + std::to_string(*obstacles.tracer) +
                " traces it already, and a process has one tracer",
            "end that tracer (strace, gdb, ...), or " + without_tracing, FailureKind::kRefused};
  if (obstacles.yama_scope == kYamaNobody)
    return {cannot + "kernel.yama.ptrace_scope is 3, which forbids it to everyone",
            without_tracing + "; 3 lasts until the next boot", FailureKind::kRefused};
  if (obstacles.yama_scope == kYamaAdministrators && ::geteuid() != 0)
    return {cannot + "kernel.yama.ptrace_scope is 2, which leaves it to administrators",
            "run bops as root, or sysctl kernel.yama.ptrace_scope=1, or " + without_tracing,
            FailureKind::kRefused};
  if (obstacles.owner && *obstacles.owner != ::geteuid() && ::geteuid() != 0)
    return {cannot + "it belongs to another user", "run bops as that user, or as root",
            FailureKind::kRefused};
  if (obstacles.seccomp_mode == kSeccompFilter)
    return {cannot + "a seccomp filter around bops forbids ptrace, as those of containers do",
            "start the container with --cap-add SYS_PTRACE, or " + without_tracing,
            FailureKind::kRefused};
  if (obstacles.yama_scope == kYamaChildrenOnly && ::geteuid() != 0)
    return {cannot + "kernel.yama.ptrace_scope is 1: only a parent may follow a process",
            "run bops as root, or sysctl kernel.yama.ptrace_scope=0, or start it with bops run",
            FailureKind::kRefused};
  return {cannot + std::generic_category().message(error),
          "run bops as root, or " + without_tracing, FailureKind::kRefused};
}

}  // namespace bops
