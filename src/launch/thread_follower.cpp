#include "launch/thread_follower.hpp"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "launch/trace_error.hpp"
#include "platform/procfs.hpp"

namespace bops {
namespace {

constexpr unsigned kEventShift = 16;  // of a wait status, ptrace(2)

// No PTRACE_O_EXITKILL: the target outlives bops.
constexpr unsigned long kOptions = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                                   PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT;

/// glibc declares the request as an enumeration of its own and the data as a pointer. A thread that
/// was killed meanwhile answers ESRCH: its end is what comes next.
long trace(__ptrace_request request, pid_t tid, unsigned long data) {
  return ::ptrace(request, tid, nullptr, data);
}

void go_on(pid_t tid, int signal = 0) {
  trace(PTRACE_CONT, tid, static_cast<unsigned long>(signal));
}

bool stops_processes(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

bool is_thread_of(pid_t tid, pid_t pid) {
  return ::syscall(SYS_tgkill, pid, tid, 0) == 0;
}

Result<void> refused(pid_t pid, int error) {
  return tl::unexpected(trace_error(pid, error, read_trace_obstacles(pid)));
}

pid_t event_message(pid_t tid) {
  unsigned long message = 0;
  return ::ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &message) == 0 ? static_cast<pid_t>(message)
                                                                   : 0;
}

}  // namespace

Result<void> ThreadFollower::follow_held(pid_t child) {
  long seized = trace(PTRACE_SEIZE, child, kOptions);
  // A bops that gained capabilities waits until its child is on its way to the hold.
  constexpr int kTries = 100;
  const bool may_still_come = ::prctl(PR_GET_DUMPABLE) != 1;
  for (int i = 0; seized != 0 && errno == EPERM && may_still_come && i < kTries; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    seized = trace(PTRACE_SEIZE, child, kOptions);
  }
  if (seized != 0) return refused(child, errno);
  threads_[child] = {child};
  return {};
}

Result<void> ThreadFollower::attach(pid_t pid) {
  bool any = false;
  // Threads that come while the list is read are on the next one, unless their makers were seized
  // already: then they announce themselves.
  for (bool found_new = true; found_new;) {
    found_new = false;
    for (const pid_t tid : read_threads(pid)) {
      if (threads_.contains(tid)) {
        any = true;
        continue;
      }
      if (trace(PTRACE_SEIZE, tid, kOptions) != 0) {
        // A thread that has ended, or was seized by the kernel as a child of one that was.
        if (any && (errno == ESRCH || errno == EPERM)) continue;
        return refused(pid, errno);
      }
      any = found_new = true;
      threads_[tid] = {pid};
      tell(ThreadEvent::Kind::kStarted, pid, tid);
    }
  }
  if (any) return {};
  return refused(pid, ESRCH);
}

void ThreadFollower::tell(ThreadEvent::Kind kind, pid_t pid, pid_t tid, pid_t former_tid) const {
  if (listener_) listener_({kind, pid, tid, former_tid});
}

void ThreadFollower::tell_exit(pid_t tid, Followed& thread) const {
  if (std::exchange(thread.exit_told, true)) return;
  tell(ThreadEvent::Kind::kExited, thread.pid, tid);
}

ThreadFollower::Stop ThreadFollower::on_stop(pid_t tid, int status) {
  const auto event = static_cast<unsigned>(status) >> kEventShift;
  const int signal = WSTOPSIG(status);
  if (!threads_.contains(tid)) {
    // The first stop of a thread that was killed at once is PTRACE_EVENT_EXIT.
    if (event == 0) return Stop::kNotFollowed;
    on_first_stop(tid);
  }
  switch (event) {
    case 0: go_on(tid, signal); return Stop::kWentOn;
    case PTRACE_EVENT_STOP:
      if (!stops_processes(signal)) break;
      // Unlike PTRACE_CONT, this leaves the thread stopped, and a later SIGCONT reaches it.
      trace(PTRACE_LISTEN, tid, 0);
      return Stop::kJobControl;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK: on_fork(tid); [[fallthrough]];
    case PTRACE_EVENT_CLONE: on_announcement(tid); break;
    case PTRACE_EVENT_EXEC: on_exec(tid); break;
    case PTRACE_EVENT_EXIT: on_exit_stop(tid); break;
    default: break;
  }
  go_on(tid);
  return Stop::kWentOn;
}

/// The process that the new thread `tid` belongs to.
pid_t ThreadFollower::process_of_new(pid_t tid) {
  const auto announcement = announced_.find(tid);
  if (announcement == announced_.end()) {
    unannounced_.insert(tid);
    return read_process_of_thread(tid).value_or(tid);
  }
  const pid_t maker = announcement->second;
  announced_.erase(announcement);
  return is_thread_of(tid, maker) ? maker : tid;
}

void ThreadFollower::on_first_stop(pid_t tid) {
  const pid_t pid = process_of_new(tid);
  left_to_parents_.erase(tid);  // its parent has reaped the one that had this id
  threads_[tid] = {pid};
  tell(ThreadEvent::Kind::kStarted, pid, tid);
}

void ThreadFollower::on_fork(pid_t parent_tid) const {
  if (const pid_t child = event_message(parent_tid); child != 0)
    tell(ThreadEvent::Kind::kForked, child, child, parent_tid);
}

void ThreadFollower::on_announcement(pid_t parent_tid) {
  const pid_t child = event_message(parent_tid);
  if (child == 0 || unannounced_.erase(child) > 0) return;
  announced_[child] = threads_[parent_tid].pid;
}

/// The thread that executed takes the id of its process; the first thread, if that was another one,
/// vanishes without a status.
void ThreadFollower::on_exec(pid_t tid) {
  const pid_t former = event_message(tid);
  if (former != 0 && former != tid) {
    tell_exit(tid, threads_[tid]);
    threads_.erase(former);
    threads_[tid] = {tid};
  }
  tell(ThreadEvent::Kind::kExecuted, tid, tid, former != 0 ? former : tid);
}

void ThreadFollower::on_exit_stop(pid_t tid) {
  Followed& thread = threads_[tid];
  tell_exit(tid, thread);
  if (tid != thread.pid) return;
  if (const auto stat = read_process_stat(tid)) thread.parent_at_exit = stat->ppid;
}

ThreadFollower::End ThreadFollower::on_end(pid_t tid) {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) {
    left_to_parents_.erase(tid);
    // Killed before its first stop, or no child that was ever followed.
    if (const auto announcement = announced_.find(tid); announcement != announced_.end()) {
      announced_.erase(announcement);
      return End::kOfThread;
    }
    return End::kOfProcess;
  }
  Followed thread = found->second;
  threads_.erase(found);
  tell_exit(tid, thread);
  if (tid != thread.pid) return End::kOfThread;
  // Killed without an exit stop: it is still there if it is for another process to reap.
  if (!thread.parent_at_exit) {
    const auto stat = read_process_stat(tid);
    thread.parent_at_exit = stat ? stat->ppid : ::getpid();
    if (stat) {
      left_to_parents_.insert(tid);
      return End::kOfThread;
    }
  }
  if (*thread.parent_at_exit == ::getpid()) return End::kOfProcess;
  left_to_parents_.insert(tid);
  return End::kOfThread;
}

void ThreadFollower::detach_stopped(pid_t tid, int status) {
  const auto event = static_cast<unsigned>(status) >> kEventShift;
  const int signal = event == 0 ? WSTOPSIG(status) : 0;
  trace(PTRACE_DETACH, tid, static_cast<unsigned long>(signal));
  threads_.erase(tid);
}

void ThreadFollower::detach_all() {
  using Clock = std::chrono::steady_clock;
  constexpr auto kPatience = std::chrono::seconds(2);
  constexpr auto kPause = std::chrono::milliseconds(1);
  for (const auto& [tid, thread] : threads_) trace(PTRACE_INTERRUPT, tid, 0);
  const auto deadline = Clock::now() + kPatience;
  while (!threads_.empty() && Clock::now() < deadline) {
    // Each by its id: children of bops that are not followed are not ours to reap here.
    std::vector<pid_t> tids;
    tids.reserve(threads_.size());
    for (const auto& [tid, thread] : threads_) tids.push_back(tid);
    bool any = false;
    for (const pid_t tid : tids) {
      int status = 0;
      const pid_t got = ::waitpid(tid, &status, WNOHANG | __WALL);
      if (got == 0) continue;
      any = true;
      if (got < 0) {
        threads_.erase(tid);
      } else if (WIFSTOPPED(status)) {
        const auto event = static_cast<unsigned>(status) >> kEventShift;
        if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
            event == PTRACE_EVENT_CLONE)
          threads_.try_emplace(event_message(tid), Followed{tid});
        detach_stopped(tid, status);
      } else {
        (void)on_end(tid);
      }
    }
    if (!any) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace bops
