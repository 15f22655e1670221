#include "launch/attached_processes.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "launch/awaited_change.hpp"
#include "launch/waiting.hpp"
#include "platform/procfs.hpp"

namespace bops {

Result<AttachedProcesses> AttachedProcesses::attach(const std::vector<pid_t>& pids,
                                                    ThreadFollower::Listener listener) {
  auto signals = SignalHold::take();
  if (!signals) return tl::unexpected(signals.error());
  AttachedProcesses attached(std::move(*signals), std::move(listener));
  for (const pid_t pid : pids)
    if (auto followed = attached.follower_->attach(pid); !followed) {
      attached.detach();
      return tl::unexpected(followed.error());
    } else {
      attached.exits_[pid] = {};
    }
  return attached;
}

Result<AttachedProcesses> AttachedProcesses::attach_members(const std::vector<pid_t>& pids,
                                                            ThreadFollower::Listener listener) {
  auto signals = SignalHold::take();
  if (!signals) return tl::unexpected(signals.error());
  AttachedProcesses attached(std::move(*signals), std::move(listener));
  for (const pid_t pid : pids) attached.attach_member(pid);
  if (!attached.left_out_.empty() && !attached.follower_->is_following_any())
    return tl::unexpected(attached.left_out_.begin()->second);
  return attached;
}

/// One that is gone again, and bops itself, are nothing to tell of.
void AttachedProcesses::attach_member(pid_t pid) {
  if (pid == ::getpid() || follower_->is_following(pid) || left_out_.contains(pid)) return;
  if (const auto followed = follower_->attach(pid); !followed && !has_ended(pid))
    left_out_.emplace(pid, followed.error());
}

void AttachedProcesses::reap() {
  using Change = AwaitedChange::Kind;
  for (;;) {
    const AwaitedChange change = next_change(true);
    switch (change.kind) {
      case Change::kNobodyLeft:
      case Change::kNoneYet: return;
      case Change::kStopped:
        if (follower_->on_stop(change.tid, change.stop_status) ==
            ThreadFollower::Stop::kNotFollowed)
          forget_stop(change.tid);
        for (const pid_t ended : follower_->overdue_ends()) on_end(ended);
        break;
      case Change::kEnded: on_end(change.tid); break;
    }
  }
}

void AttachedProcesses::on_end(pid_t tid) {
  (void)follower_->on_end(tid);
  const int status = bops::reap(tid, nullptr);
  const auto exit = exits_.find(tid);
  if (exit == exits_.end() || exit->second != ExitStatus{}) return;
  if (WIFEXITED(status)) exit->second.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit->second.signal = WTERMSIG(status);
}

ExitStatus AttachedProcesses::exit_of(pid_t pid) const {
  const auto exit = exits_.find(pid);
  return exit == exits_.end() ? ExitStatus{} : exit->second;
}

/// When to ask again: soon, but not for more than a twentieth of the time.
WaitClock::time_point AttachedProcesses::attach_newcomers(const Newcomers& more) {
  constexpr WaitClock::duration kSoon = std::chrono::milliseconds(100);
  constexpr int kShareOfTime = 20;
  const WaitClock::time_point begin = WaitClock::now();
  for (const pid_t pid : more()) attach_member(pid);
  const WaitClock::time_point end = WaitClock::now();
  return end + std::max(kSoon, kShareOfTime * (end - begin));
}

bool AttachedProcesses::asked_to_end() const {
  bool asked = false;
  while (const auto info = signals_.next()) {
    const auto signal = static_cast<int>(info->ssi_signo);
    asked |= signal == SIGINT || signal == SIGTERM || signal == SIGHUP;
  }
  return asked;
}

void AttachedProcesses::wait(std::optional<std::chrono::nanoseconds> duration, const Ticker& ticker,
                             const Newcomers& more, std::span<const Watched> watched) {
  std::optional<WaitClock::time_point> deadline;
  if (duration) deadline = WaitClock::now() + *duration;
  Ticking ticking(ticker);
  std::optional<WaitClock::time_point> newcomers;
  if (more) newcomers = WaitClock::now();
  std::vector<pollfd> polled{{signals_.fd(), POLLIN, 0}};
  for (const Watched& one : watched) polled.push_back({one.fd, POLLIN, 0});
  reap();
  // With newcomers to come, nobody left is no end.
  while (follower_->is_following_any() || more) {
    if (deadline && WaitClock::now() >= *deadline) return;
    sleep_until(polled, earliest(earliest(deadline, ticking.next()), newcomers));
    const bool ends = asked_to_end();
    reap();
    if (ends) return;
    for (std::size_t i = 0; i < watched.size(); ++i)
      if ((polled[i + 1].revents & POLLIN) != 0) watched[i].on_readable();
    ticking.tick_if_due();
    if (newcomers && WaitClock::now() >= *newcomers) newcomers = attach_newcomers(more);
  }
}

}  // namespace bops
