#include "launch/awaited_change.hpp"

#include <sys/wait.h>

#include <cerrno>

namespace bops {
namespace {

constexpr int kStopShift = 8;     // of a wait status: what a stop is for stands behind
constexpr int kIsStopped = 0x7f;  // in the low bits, WIFSTOPPED() of wait(2)

}  // namespace

AwaitedChange next_change(bool followed_too, pid_t of) {
  using Kind = AwaitedChange::Kind;
  siginfo_t info{};
  const int options =
      WEXITED | WSTOPPED | WNOHANG | WNOWAIT | static_cast<int>(followed_too ? __WALL : 0);
  const idtype_t which = of != 0 ? P_PID : P_ALL;
  while (::waitid(which, static_cast<id_t>(of), &info, options) != 0)
    if (errno != EINTR) return {Kind::kNobodyLeft};  // ECHILD
  if (info.si_pid == 0) return {};
  const bool stopped = info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED;
  if (!stopped) return {Kind::kEnded, info.si_pid};
  return {Kind::kStopped, info.si_pid, (info.si_status << kStopShift) | kIsStopped};
}

void forget_stop(pid_t tid) {
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(tid), &info, WSTOPPED | WNOHANG | static_cast<int>(__WALL));
}

int reap(pid_t tid, rusage* usage) {
  int status = 0;
  while (::wait4(tid, &status, static_cast<int>(__WALL), usage) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace bops
