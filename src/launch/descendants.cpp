#include "launch/descendants.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "launch/awaited_change.hpp"
#include "launch/leading_thread.hpp"
#include "platform/procfs.hpp"

namespace bops {
namespace {

std::uint64_t to_ns(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_usec) * 1'000U;
}

/// `usage` is of a process that was reaped, so it contains those that the process waited for.
void account(const rusage& usage, ResourceUsage& sum) {
  constexpr std::uint64_t kMaxResidentUnit = 1024;  // getrusage(2): ru_maxrss is in kilobytes
  sum.user_cpu_ns += to_ns(usage.ru_utime);
  sum.system_cpu_ns += to_ns(usage.ru_stime);
  sum.max_resident_bytes = std::max(sum.max_resident_bytes,
                                    static_cast<std::uint64_t>(usage.ru_maxrss) * kMaxResidentUnit);
  sum.minor_faults += static_cast<std::uint64_t>(usage.ru_minflt);
  sum.major_faults += static_cast<std::uint64_t>(usage.ru_majflt);
  sum.voluntary_switches += static_cast<std::uint64_t>(usage.ru_nvcsw);
  sum.involuntary_switches += static_cast<std::uint64_t>(usage.ru_nivcsw);
}

}  // namespace

Descendants::State Descendants::reap() {
  using Change = AwaitedChange::Kind;
  bool stopped = false;
  for (;;) {
    // Followed threads are waited for like children, whoever's they are.
    const AwaitedChange change = next_change(follower_ != nullptr);
    if (change.kind == Change::kNobodyLeft) return State::kAllEnded;
    if (change.kind == Change::kNoneYet) break;
    const pid_t pid = change.tid;
    if (change.kind == Change::kStopped)
      stopped |= on_stop(pid, change.stop_status);
    else if (forget_stranger(pid))
      bops::reap(pid, nullptr);
    else
      on_end(pid);
  }
  if (target_has_ended()) return only_strangers_left() ? State::kAllEnded : State::kOrphansRun;
  return stopped ? State::kTargetStopped : State::kTargetRuns;
}

bool Descendants::on_stop(pid_t pid, int status) {
  using Stop = ThreadFollower::Stop;
  const Stop stop = follower_ != nullptr ? follower_->on_stop(pid, status) : Stop::kNotFollowed;
  if (stop == Stop::kNotFollowed) forget_stop(pid);
  if (follower_ != nullptr)
    for (const pid_t ended : follower_->overdue_ends()) on_end(ended);
  if (stop == Stop::kWentOn) return false;
  if (pid == target_) return true;
  // A first thread that has ended stops no more; each of the others tells of the same stop.
  return stop == Stop::kJobControl && follower_->process_of(pid) == target_ &&
         leading_thread(target_) == pid;
}

void Descendants::on_end(pid_t pid) {
  const bool is_thread =
      follower_ != nullptr && follower_->on_end(pid) == ThreadFollower::End::kOfThread;
  rusage usage{};
  const bool accounted = !is_thread || pid == target_;
  const int status = bops::reap(pid, accounted ? &usage : nullptr);
  if (!accounted) return;
  account(usage, resource_usage_);
  if (pid != target_ || target_has_ended()) return;
  if (WIFEXITED(status)) exit_.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit_.signal = WTERMSIG(status);
}

bool Descendants::forget_stranger(pid_t pid) {
  return std::erase(strangers_, pid) > 0;
}

bool Descendants::only_strangers_left() const {
  if (strangers_.empty()) return false;  // some child is left, and it is no stranger
  const std::vector<pid_t> children = read_children(::getpid());
  return !children.empty() && std::all_of(children.begin(), children.end(), [this](pid_t child) {
    return std::find(strangers_.begin(), strangers_.end(), child) != strangers_.end();
  });
}

}  // namespace bops
