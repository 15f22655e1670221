// The target and all that descends from it, from their start until the last one is reaped.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "launch/thread_follower.hpp"
#include "model/run_record.hpp"

namespace bops {

/// Reaps the children of bops: the target, and its descendants that lost their parent. Children
/// that bops had before are reaped too, but neither waited for nor accounted.
class Descendants {
 public:
  enum class State : std::uint8_t { kTargetRuns, kTargetStopped, kOrphansRun, kAllEnded };

  /// `strangers`: the children that this process had before it created the target. `follower` is
  /// null where nothing is followed.
  Descendants(pid_t target, std::vector<pid_t> strangers, ThreadFollower* follower)
      : target_(target), strangers_(std::move(strangers)), follower_(follower) {}

  /// Reaps all that have ended. kTargetStopped is told once for each stop.
  [[nodiscard]] State reap();

  /// Neither code nor signal before the target has ended.
  [[nodiscard]] const ExitStatus& exit() const { return exit_; }
  /// Of those reaped. The maximum resident size is that of the largest single process; for the
  /// target it is never less than what bops itself had resident when it forked (the kernel keeps
  /// the high water mark over execve: fs/exec.c, exec_mmap).
  [[nodiscard]] const ResourceUsage& resource_usage() const { return resource_usage_; }

 private:
  [[nodiscard]] bool forget_stranger(pid_t pid);
  [[nodiscard]] bool only_strangers_left() const;
  /// Whether it was the target that was stopped, for its job control.
  [[nodiscard]] bool on_stop(pid_t pid, int status);
  void on_end(pid_t pid);
  [[nodiscard]] bool target_has_ended() const { return exit_.code || exit_.signal; }

  pid_t target_;
  std::vector<pid_t> strangers_;
  ThreadFollower* follower_;
  ExitStatus exit_;
  ResourceUsage resource_usage_;
};

}  // namespace bops
