#include "launch/signal_relay.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "launch/leading_thread.hpp"
#include "platform/procfs.hpp"

namespace bops {
namespace {

/// ProcessStat::stop_code of a followed process that job control has stopped and bops has seen so.
bool is_job_control(std::int32_t stop_code) {
  return stop_code == 0 || stop_code == SIGSTOP || stop_code == SIGTSTP || stop_code == SIGTTIN ||
         stop_code == SIGTTOU;
}

/// A followed process is in a tracing stop all the time; once it is to go on, or to end, it makes
/// another one, which bops has not seen.
bool is_stopped(pid_t pid, bool followed) {
  const auto stat = read_process_stat(leading_thread(pid));
  if (!stat) return false;
  return stat->state == 'T' || (followed && stat->state == 't' && is_job_control(stat->stop_code));
}

/// Continues `stopped` for as long as `target` is not stopped. Ends with the process that forked
/// it, which inherits nothing from it: all signals are blocked here as there.
[[noreturn]] void watch(pid_t stopped, pid_t target, bool followed) {
  constexpr timespec kPause{0, 20'000'000};
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (::getppid() == stopped) {
    ::nanosleep(&kPause, nullptr);
    // Again and again: the first one may come before `stopped` has stopped.
    if (!is_stopped(target, followed)) ::kill(stopped, SIGCONT);
  }
  ::_exit(0);
}

void end_watcher(pid_t watcher) {
  ::kill(watcher, SIGKILL);
  while (::waitpid(watcher, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// What continued us is no news to the target, which goes on as well.
void forget_pending_continue() {
  sigset_t only_continue;
  ::sigemptyset(&only_continue);
  ::sigaddset(&only_continue, SIGCONT);
  const timespec at_once{};
  ::sigtimedwait(&only_continue, nullptr, &at_once);
}

}  // namespace

bool is_for_target(const signalfd_siginfo& info) {
  if (info.ssi_signo == SIGCHLD) return false;
  if (info.ssi_signo == SIGALRM && info.ssi_code == SI_KERNEL) return true;
  return info.ssi_code <= 0 && info.ssi_pid != static_cast<std::uint32_t>(::getpid());
}

void forward(const signalfd_siginfo& info, pid_t target) {
  const int signal = static_cast<int>(info.ssi_signo);
  if (info.ssi_code == SI_QUEUE) {
    sigval value{};
    // The union of int and pointer that sigqueue(3) took, whichever of them was set.
    value.sival_ptr = reinterpret_cast<void*>(info.ssi_ptr);  // NOLINT(performance-no-int-to-ptr)
    if (::sigqueue(target, signal, value) == 0) return;
    // The queue of the target's user is full: the bare signal is better than none.
  }
  ::kill(target, signal);
}

void stop_with(pid_t target, bool followed) {
  const pid_t self = ::getpid();
  const pid_t watcher = ::fork();
  if (watcher == 0) watch(self, target, followed);
  ::raise(SIGSTOP);  // cannot be blocked: returns once continued
  if (watcher > 0) end_watcher(watcher);
  forget_pending_continue();
  if (is_stopped(target, followed)) ::kill(target, SIGCONT);
}

}  // namespace bops
