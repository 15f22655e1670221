// Running processes that bops was told to count: attached to, waited for, left.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "launch/signal_hold.hpp"
#include "launch/target_process.hpp"
#include "launch/thread_follower.hpp"
#include "model/error.hpp"

namespace bops {

/// Processes with all their threads, and the threads and children that they make later. They go on
/// when bops leaves them, or dies.
///
/// As with TargetProcess, all signals of the calling thread are blocked from the first call to the
/// destructor.
class AttachedProcesses {
 public:
  /// Attaches to all of them, or to none.
  [[nodiscard]] static Result<AttachedProcesses> attach(const std::vector<pid_t>& pids,
                                                        ThreadFollower::Listener listener);
  /// Attaches to those that it can: of a group that processes join and leave meanwhile. An error
  /// only where there are some, and none can be attached to.
  [[nodiscard]] static Result<AttachedProcesses> attach_members(const std::vector<pid_t>& pids,
                                                                ThreadFollower::Listener listener);

  /// Processes that appear in `more()`, asked ten times a second unless that takes too long, are
  /// attached to as well (a cgroup has no event that tells of them).
  using Newcomers = std::function<std::vector<pid_t>()>;

  /// Waits until all have ended, SIGINT, SIGTERM or SIGHUP has come, or `duration` has passed, if
  /// there is one.
  void wait(std::optional<std::chrono::nanoseconds> duration, const Ticker& ticker,
            const Newcomers& more = {}, std::span<const Watched> watched = {});

  /// Why processes that were there could not be attached to, by their ids.
  [[nodiscard]] const std::map<pid_t, Error>& left_out() const { return left_out_; }
  /// How the process ended, if it was attached to by attach() and its end was seen.
  [[nodiscard]] ExitStatus exit_of(pid_t pid) const;

  /// Lets all go that are left.
  void detach() { follower_->detach_all(); }

 private:
  AttachedProcesses(SignalHold signals, ThreadFollower::Listener listener)
      : signals_(std::move(signals)),
        follower_(std::make_unique<ThreadFollower>(std::move(listener))) {}
  /// Handles all that has happened to the followed threads.
  void reap();
  void on_end(pid_t tid);
  void attach_member(pid_t pid);
  [[nodiscard]] bool asked_to_end() const;
  [[nodiscard]] std::chrono::steady_clock::time_point attach_newcomers(const Newcomers& more);

  SignalHold signals_;
  std::map<pid_t, ExitStatus> exits_;  ///< of those that attach() was given
  std::unique_ptr<ThreadFollower> follower_;
  std::map<pid_t, Error> left_out_;
};

}  // namespace bops
