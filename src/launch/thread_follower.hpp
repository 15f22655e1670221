// Follows every thread and child of a process by ptrace(2), from its first instruction to its end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "model/collector.hpp"

namespace bops {

/// The tracer's half of a wait loop: the caller waits (wait4(2) with __WALL), and hands each status
/// to on_stop() or on_end(). The calling thread becomes the tracer; all calls are made by it.
///
/// The listener hears of every thread exactly once kStarted, while the thread is stopped before its
/// first instruction in user mode (a thread that was attached to: while it runs), and exactly once
/// kExited, at the latest when it has ended. kExecuted comes while the thread is stopped before the
/// first instruction of the new image; the other threads of its process were told as kExited
/// before.
///
/// Signals, job control and results of the followed processes stay as they are, but for what
/// ptrace(2) itself changes: nobody else can trace them. When the tracer ends, however it ends, the
/// kernel detaches them and they go on (PTRACE_O_EXITKILL is not set).
class ThreadFollower {
 public:
  using Listener = std::function<void(const ThreadEvent&)>;

  explicit ThreadFollower(Listener listener) : listener_(std::move(listener)) {}

  /// Follows a child of bops that is held before its execve(2). It is not told as kStarted.
  [[nodiscard]] Result<void> follow_held(pid_t child);
  /// Follows a running process: all its threads, each told as kStarted; its future threads and
  /// children as well. Children that it has already are processes of their own.
  [[nodiscard]] Result<void> attach(pid_t pid);

  enum class Stop : std::uint8_t {
    kNotFollowed,  ///< the stop of a process that is not followed
    kWentOn,       ///< handled: the thread goes on
    kJobControl,   ///< the thread stays stopped, with its process, until someone sends SIGCONT
  };
  /// A thread has stopped; `status` is that of wait4(2).
  [[nodiscard]] Stop on_stop(pid_t tid, int status);

  enum class End : std::uint8_t {
    kOfProcess,  ///< a child of bops was reaped: its status and resource usage are final
    kOfThread,   ///< a thread, or the child of another process, which will reap it itself
  };
  /// A thread or process has ended and was reaped by wait4(2).
  [[nodiscard]] End on_end(pid_t tid);

  /// Lets all go that are still followed, as they are: running, or stopped by job control. Those
  /// that do not stop within two seconds (in uninterruptible sleep) are left to the end of bops.
  void detach_all();

  /// A process: whether its first thread is followed.
  [[nodiscard]] bool is_following(pid_t pid) const { return threads_.contains(pid); }
  [[nodiscard]] bool is_following_any() const { return !threads_.empty(); }

 private:
  struct Followed {
    pid_t pid = 0;
    bool exit_told = false;
    /// The parent of the process as its first thread ended: who reaps it.
    std::optional<pid_t> parent_at_exit{};
  };

  void tell(ThreadEvent::Kind kind, pid_t pid, pid_t tid, pid_t former_tid = 0) const;
  void tell_exit(pid_t tid, Followed& thread) const;
  void on_first_stop(pid_t tid);
  void on_fork(pid_t parent_tid) const;
  void on_announcement(pid_t parent_tid);
  void on_exec(pid_t tid);
  void on_exit_stop(pid_t tid);
  void detach_stopped(pid_t tid, int status);
  [[nodiscard]] pid_t process_of_new(pid_t tid);

  Listener listener_;
  std::unordered_map<pid_t, Followed> threads_;  // by thread id
  // The first stop of a thread and the event of the one that made it come in any order.
  std::unordered_map<pid_t, pid_t> announced_;  ///< thread not seen yet → process of its maker
  std::unordered_set<pid_t> unannounced_;       ///< seen before it was announced
  /// Processes whose end was seen as their tracer. If their parents end without reaping them, they
  /// become children of bops, and are seen once more.
  std::unordered_set<pid_t> left_to_parents_;
};

}  // namespace bops
