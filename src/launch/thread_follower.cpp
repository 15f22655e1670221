#include "launch/thread_follower.hpp"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include "launch/awaited_change.hpp"
#include "launch/trace_error.hpp"
#include "platform/procfs.hpp"

namespace bops {
namespace {

constexpr unsigned kEventShift = 16;  // of a wait status, ptrace(2)
constexpr int kStopCodeShift = 8;     // of the si_code of a stop, ptrace(2)

// No PTRACE_O_EXITKILL: the target outlives bops.
constexpr unsigned long kWithoutExit =
    PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
constexpr unsigned long kOptions = kWithoutExit | PTRACE_O_TRACEEXIT;

/// glibc declares the request as an enumeration of its own and the data as a pointer. A thread that
/// was killed meanwhile answers ESRCH: its end is what comes next.
long trace(__ptrace_request request, pid_t tid, unsigned long data) {
  return ::ptrace(request, tid, nullptr, data);
}

/// False if it was killed meanwhile.
bool go_on(pid_t tid, int signal = 0) {
  return trace(PTRACE_CONT, tid, static_cast<unsigned long>(signal)) == 0;
}

bool stops_processes(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

bool is_thread_of(pid_t tid, pid_t pid) {
  return ::syscall(SYS_tgkill, pid, tid, 0) == 0;
}

/// A zombie is still traced.
bool is_traced(pid_t tid) {
  const std::string path = "/proc/" + std::to_string(tid) + "/status";
  return read_status_number(path, "TracerPid") == ::getpid();
}

Result<void> refused(pid_t pid, int error, bool runs_already) {
  return tl::unexpected(trace_error(pid, error, read_trace_obstacles(pid), runs_already));
}

pid_t event_message(pid_t tid) {
  unsigned long message = 0;
  return ::ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &message) == 0 ? static_cast<pid_t>(message)
                                                                   : 0;
}

/// Whether a thread that was in another stop has been killed there, and now stops at its end.
bool is_ending(pid_t tid) {
  siginfo_t info{};
  return ::ptrace(PTRACE_GETSIGINFO, tid, nullptr, &info) == 0 &&
         info.si_code >> kStopCodeShift == PTRACE_EVENT_EXIT;
}

/// A stop is told while the thread is still on its way off its CPU. Any request waits for that.
void let_stop(pid_t tid) {
  (void)event_message(tid);
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
  if (seized != 0) return refused(child, errno, false);
  threads_[child] = {child};
  ++stopping_at_exit_;
  return {};
}

Result<void> ThreadFollower::attach(pid_t pid) {
  if (const auto process = read_process_of_thread(pid); process && *process != pid)
    return failure(std::to_string(pid) + " is a thread of process " + std::to_string(*process),
                   "name the process: -p " + std::to_string(*process));
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
        const int error = errno;
        // A thread that has ended, or was seized by the kernel as a child of one that was.
        if (any && (error == ESRCH || has_ended(tid) || is_traced(tid))) continue;
        return refused(tid, error, true);
      }
      any = found_new = true;
      threads_[tid] = {pid};
      ++stopping_at_exit_;
      tell(ThreadEvent::Kind::kStarted, pid, tid);
    }
  }
  if (any) return {};
  return refused(pid, ESRCH, true);
}

void ThreadFollower::tell(ThreadEvent::Kind kind, pid_t pid, pid_t tid, pid_t former_tid) const {
  if (listener_) listener_({kind, pid, tid, former_tid});
}

void ThreadFollower::tell_exit(pid_t tid, Followed& thread, pid_t successor) const {
  if (std::exchange(thread.exit_told, true) || !listener_) return;
  listener_({ThreadEvent::Kind::kExited, thread.pid, tid, successor, thread.has_executed});
}

ThreadFollower::Stop ThreadFollower::go_on_executing(pid_t tid, int signal) {
  if (go_on(tid, signal)) threads_[tid].has_executed = true;
  return Stop::kWentOn;
}

ThreadFollower::Stop ThreadFollower::on_stop(pid_t tid, int status) {
  auto event = static_cast<unsigned>(status) >> kEventShift;
  const int signal = WSTOPSIG(status);
  if (!threads_.contains(tid)) {
    // The first stop of a thread that was killed at once may be PTRACE_EVENT_EXIT.
    if (event == 0) return Stop::kNotFollowed;
    on_first_stop(tid);
    if (is_ending(tid)) event = PTRACE_EVENT_EXIT;
  }
  switch (event) {
    case 0: return go_on_executing(tid, signal);
    case PTRACE_EVENT_STOP:
      if (!stops_processes(signal)) break;
      forget_stop(tid);
      // Unlike PTRACE_CONT, this leaves the thread stopped, and a later SIGCONT reaches it.
      trace(PTRACE_LISTEN, tid, 0);
      return Stop::kJobControl;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
      last_process_ = threads_[tid].pid;
      on_fork(tid);
      break;
    case PTRACE_EVENT_CLONE: last_maker_ = tid; break;
    case PTRACE_EVENT_EXEC: on_exec(tid); break;
    case PTRACE_EVENT_EXIT:
      tell_exit(tid, threads_[tid]);
      go_on(tid);
      return Stop::kWentOn;
    default: break;
  }
  return go_on_executing(tid);
}

/// The process that the new thread `tid` belongs to. What makes it is told before or after its
/// first stop, so this asks the kernel: first for what is most likely, as /proc takes its time.
pid_t ThreadFollower::process_of_new(pid_t tid) {
  for (const pid_t likely : {last_process_, tid})
    if (likely != 0 && is_thread_of(tid, likely)) return likely;
  return read_process_of_thread(tid).value_or(tid);
}

void ThreadFollower::on_first_stop(pid_t tid) {
  const pid_t pid = process_of_new(tid);
  last_process_ = pid;
  left_to_parents_.erase(tid);  // its parent has reaped the one that had this id
  // Its maker's options are its own. Nothing tells who that was, so all must have the same.
  std::optional<bool> inherited;
  if (!threads_.empty() && (stopping_at_exit_ == 0 || stopping_at_exit_ == threads_.size()))
    inherited = stopping_at_exit_ > 0;
  threads_[tid] = {pid, false};
  ++stopping_at_exit_;
  let_stop(tid);
  let_maker_go_on();
  tell(ThreadEvent::Kind::kStarted, pid, tid);
  choose_exit_stop(tid, inherited);
}

/// What made a thread waits, too, and wait(2) tells of it last. Who makes many threads goes on
/// making them while the counters of one are opened.
void ThreadFollower::let_maker_go_on() const {
  if (!threads_.contains(last_maker_)) return;
  const AwaitedChange change = next_change(true, last_maker_);
  if (change.kind == AwaitedChange::Kind::kStopped &&
      static_cast<unsigned>(change.stop_status) >> kEventShift == PTRACE_EVENT_CLONE)
    go_on(last_maker_);
}

void ThreadFollower::on_fork(pid_t parent_tid) const {
  if (const pid_t child = event_message(parent_tid); child != 0)
    tell(ThreadEvent::Kind::kForked, child, child, parent_tid);
}

/// `now`: whether the kernel will stop it, if that is known.
void ThreadFollower::choose_exit_stop(pid_t tid, std::optional<bool> now) {
  if (!wants_exit_stop_) return;
  const bool wanted = wants_exit_stop_(tid);
  if (std::exchange(threads_[tid].stops_at_exit, wanted)) --stopping_at_exit_;
  if (wanted) ++stopping_at_exit_;
  if (now != wanted) trace(PTRACE_SETOPTIONS, tid, wanted ? kOptions : kWithoutExit);
}

/// Out of threads_, whatever it was.
void ThreadFollower::forget(pid_t tid) {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) return;
  if (found->second.stops_at_exit) --stopping_at_exit_;
  threads_.erase(found);
}

/// The thread that executed takes the id of its process; the first thread, if that was another one,
/// vanishes without a status.
void ThreadFollower::on_exec(pid_t tid) {
  // Until it is taken, the kernel takes ptrace(2) for one of the first thread, which is gone
  // (looks_like_a_spurious_pid() of Linux).
  forget_stop(tid);
  const pid_t former = event_message(tid);
  if (former != 0 && former != tid) {
    tell_exit(tid, threads_[tid], former);
    forget(tid);
    auto executing = threads_.extract(former);
    if (!executing.empty()) {
      executing.key() = tid;
      threads_.insert(std::move(executing));
    }
  }
  tell(ThreadEvent::Kind::kExecuted, tid, tid, former != 0 ? former : tid);
  choose_exit_stop(tid, threads_[tid].stops_at_exit);
}

/// One that was killed before its first stop has executed nothing, but was there.
ThreadFollower::End ThreadFollower::on_unknown_end(pid_t tid) {
  if (left_to_parents_.erase(tid) > 0 || !is_traced(tid)) return End::kOfProcess;
  const pid_t pid = process_of_new(tid);
  tell(ThreadEvent::Kind::kStarted, pid, tid);
  Followed killed{pid, false};
  tell_exit(tid, killed);
  return end_of(pid, tid);
}

/// A process may have a parent that reaps it once its tracer has.
ThreadFollower::End ThreadFollower::end_of(pid_t pid, pid_t tid) {
  if (tid != pid) return End::kOfThread;
  const auto stat = read_process_stat(tid);
  if (!stat || stat->ppid == ::getpid()) return End::kOfProcess;
  left_to_parents_.insert(tid);
  return End::kOfThread;
}

ThreadFollower::End ThreadFollower::on_end(pid_t tid) {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) return on_unknown_end(tid);
  tell_exit(tid, found->second);
  const pid_t pid = found->second.pid;
  forget(tid);
  return end_of(pid, tid);
}

std::vector<pid_t> ThreadFollower::overdue_ends() {
  std::vector<pid_t> ended;
  if (threads_.size() < many_) return ended;
  for (const auto& [tid, thread] : threads_)
    if (next_change(true, tid).kind == AwaitedChange::Kind::kEnded) ended.push_back(tid);
  many_ = 2 * (threads_.size() - ended.size()) + kFewThreads;
  return ended;
}

void ThreadFollower::detach_stopped(pid_t tid, int status) {
  const auto event = static_cast<unsigned>(status) >> kEventShift;
  const int signal = event == 0 ? WSTOPSIG(status) : 0;
  trace(PTRACE_DETACH, tid, static_cast<unsigned long>(signal));
  forget(tid);
}

void ThreadFollower::detach_all() {
  using Clock = std::chrono::steady_clock;
  using Change = AwaitedChange::Kind;
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
      const AwaitedChange change = next_change(true, tid);
      if (change.kind == Change::kNoneYet) continue;
      any = true;
      if (change.kind == Change::kNobodyLeft) {
        forget(tid);
      } else if (change.kind == Change::kStopped) {
        const auto event = static_cast<unsigned>(change.stop_status) >> kEventShift;
        if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
            event == PTRACE_EVENT_CLONE)
          stopping_at_exit_ += threads_.try_emplace(event_message(tid), Followed{tid}).second;
        detach_stopped(tid, change.stop_status);
      } else {
        (void)on_end(tid);
        reap(tid, nullptr);
      }
    }
    if (!any) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace bops
