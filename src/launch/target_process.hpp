// The target: spawned held, released, waited for with all its descendants.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "launch/signal_hold.hpp"
#include "launch/thread_follower.hpp"
#include "model/collector.hpp"
#include "model/run_record.hpp"
#include "platform/unique_fd.hpp"

namespace bops {

/// What wait() reports once the target and its descendants have ended.
struct TargetEnd {
  ExitStatus exit;
  ResourceUsage resource_usage;  ///< of the target and the descendants that were waited for
  /// Descendants were still running when a signal asked bops to stop waiting for them.
  bool descendants_left = false;
  /// SIGINT, SIGTERM or SIGHUP came to bops, from whomever, before all had ended: whatever the
  /// target made of it, somebody wants an end.
  bool interrupted = false;
};

/// Called about every `period` while waiting; a zero period means never.
struct Ticker {
  std::chrono::nanoseconds period{0};
  std::function<void()> on_tick;
};

/// A descriptor to look after while waiting: `on_readable` is called whenever it is readable.
struct Watched {
  int fd;
  std::function<void()> on_readable;
};

/// The command as a child process. The target stays in the process group of bops; no shell is
/// involved; it inherits nothing of ours: no descriptor, no signal mask, no disposition.
///
/// From spawn_held() to the destructor all signals of the calling thread are blocked and handled by
/// wait(); one TargetProcess at a time.
class TargetProcess {
 public:
  /// Creates the child, which waits before its execve(2), so before any instruction of the target.
  /// The calling process becomes a child subreaper (prctl(2)), so that orphans stay waitable.
  [[nodiscard]] static Result<TargetProcess> spawn_held(const LaunchPlan& plan);

  TargetProcess(TargetProcess&& other) noexcept;
  TargetProcess& operator=(TargetProcess&&) = delete;
  ~TargetProcess();  ///< kills the child if it is still held

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Makes wait() follow all threads and children (thread_follower.hpp); the listener is called by
  /// release() and wait(). The child must still be held. Fails if ptrace(2) is refused.
  [[nodiscard]] Result<void> follow(ThreadFollower::Listener listener,
                                    ThreadFollower::WantsExitStop wants_exit_stop = {});

  /// Lets the child execute the program. Fails with kNotFound, kNotExecutable or kRefused if
  /// execve(2) fails; the child is then gone.
  [[nodiscard]] Result<void> release();

  /// Waits for the end of the target and of all its descendants. Meanwhile: forwards signals that a
  /// process sent to bops (si_code <= 0), leaves alone those that the terminal sent to the whole
  /// group, stops and continues with the target. After the target itself has ended, SIGINT, SIGTERM
  /// or SIGHUP end the waiting for its descendants.
  [[nodiscard]] TargetEnd wait(const Ticker& ticker, std::span<const Watched> watched = {});

 private:
  TargetProcess(SignalHold signals, std::vector<pid_t> strangers);
  [[nodiscard]] bool is_held() const { return static_cast<bool>(channel_); }
  /// Waits for the answer of the released child, handling its stops. Its errno, or 0.
  [[nodiscard]] int await_execution() const;
  /// Handles the signals that have come. True if one of them was SIGINT, SIGTERM or SIGHUP.
  [[nodiscard]] bool relay_signals(bool target_runs) const;

  pid_t pid_ = -1;
  std::string executable_;
  /// While the child is held, a socket to it: a byte written lets it go on; it answers with the
  /// errno of a failed execve, or with end of file once that has succeeded.
  UniqueFd channel_;
  SignalHold signals_;
  std::vector<pid_t> strangers_;              ///< children that bops had before
  std::unique_ptr<ThreadFollower> follower_;  ///< null: nothing is followed
};

/// Ends bops as the target ended: exits with its code, or dies by its signal without a core file.
[[noreturn]] void exit_like(const ExitStatus& status);

}  // namespace bops
