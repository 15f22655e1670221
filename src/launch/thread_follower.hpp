// Follows every thread and child of a process by ptrace(2), from its first instruction to its end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/collector.hpp"

namespace bops {

/// The tracer's half of a wait loop: the caller waits (awaited_change.hpp), and hands each stop to
/// on_stop(), and each end to on_end() before it reaps. The calling thread becomes the tracer; all
/// calls are made by it.
///
/// The listener hears of every thread exactly once kStarted, while the thread is stopped before its
/// first instruction in user mode (a thread that was attached to: while it runs), and exactly once
/// kExited, at the latest when it has ended and is not reaped yet. kExecuted comes while the thread
/// is stopped before the first instruction of the new image; the other threads of its process were
/// told as kExited before.
///
/// Signals, job control and results of the followed processes stay as they are, but for what
/// ptrace(2) itself changes: nobody else can trace them. When the tracer ends, however it ends, the
/// kernel detaches them and they go on (PTRACE_O_EXITKILL is not set).
class ThreadFollower {
 public:
  using Listener = std::function<void(const ThreadEvent&)>;
  /// Whether a thread that was told as kStarted or kExecuted is to stop once more before it ends,
  /// and be told as kExited then. Stops are dear.
  using WantsExitStop = std::function<bool(pid_t tid)>;

  /// Without `wants_exit_stop` all threads stop.
  explicit ThreadFollower(Listener listener, WantsExitStop wants_exit_stop = {})
      : listener_(std::move(listener)), wants_exit_stop_(std::move(wants_exit_stop)) {}

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
  /// A thread has stopped; `status` is that of wait4(2). A stop that is kNotFollowed is the
  /// caller's to forget.
  [[nodiscard]] Stop on_stop(pid_t tid, int status);

  enum class End : std::uint8_t {
    kOfProcess,  ///< a child of bops: its status and resource usage are final
    kOfThread,   ///< a thread, or the child of another process, which will reap it itself
  };
  /// A thread or process has ended, and is reaped next.
  [[nodiscard]] End on_end(pid_t tid);

  /// Followed threads that have ended and wait to be taken. wait(2) tells of the newest threads
  /// first: where they come without a pause, older ones would wait for ever, and with them what is
  /// open for them. To be asked after each stop; looks only where many have come since.
  [[nodiscard]] std::vector<pid_t> overdue_ends();

  /// Lets all go that are still followed, as they are: running, or stopped by job control. Those
  /// that do not stop within two seconds (in uninterruptible sleep) are left to the end of bops.
  void detach_all();

  /// A process: whether its first thread is followed.
  [[nodiscard]] bool is_following(pid_t pid) const { return threads_.contains(pid); }
  /// The process of a followed thread; 0 if it is not followed.
  [[nodiscard]] pid_t process_of(pid_t tid) const {
    const auto found = threads_.find(tid);
    return found == threads_.end() ? 0 : found->second.pid;
  }
  [[nodiscard]] bool is_following_any() const { return !threads_.empty(); }

 private:
  static constexpr std::size_t kFewThreads = 64;

  struct Followed {
    pid_t pid = 0;
    bool has_executed = true;  ///< it was let go on after its first stop
    bool exit_told = false;
    bool stops_at_exit = true;
  };

  void tell(ThreadEvent::Kind kind, pid_t pid, pid_t tid, pid_t former_tid = 0) const;
  void tell_exit(pid_t tid, Followed& thread, pid_t successor = 0) const;
  void on_first_stop(pid_t tid);
  void let_maker_go_on() const;
  void on_fork(pid_t parent_tid) const;
  void on_exec(pid_t tid);
  void choose_exit_stop(pid_t tid, std::optional<bool> now);
  void forget(pid_t tid);
  [[nodiscard]] End on_unknown_end(pid_t tid);
  [[nodiscard]] End end_of(pid_t pid, pid_t tid);
  void detach_stopped(pid_t tid, int status);
  [[nodiscard]] pid_t process_of_new(pid_t tid);
  [[nodiscard]] Stop go_on_executing(pid_t tid, int signal = 0);

  Listener listener_;
  WantsExitStop wants_exit_stop_;
  std::unordered_map<pid_t, Followed> threads_;  // by thread id
  pid_t last_process_ = 0;                       ///< that made a thread or child, or got one
  pid_t last_maker_ = 0;                         ///< the thread that made a thread last
  std::size_t stopping_at_exit_ = 0;             ///< of threads_
  std::size_t many_ = kFewThreads;               ///< of threads_, so that some may be overdue
  /// Processes whose end was seen as their tracer. If their parents end without reaping them, they
  /// become children of bops, and are seen once more.
  std::unordered_set<pid_t> left_to_parents_;
};

}  // namespace bops
