#include "launch/attached_processes.hpp"

#include <csignal>
#include <utility>

#include "launch/awaited_change.hpp"
#include "launch/waiting.hpp"

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
    }
  return attached;
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
        break;
      case Change::kEnded:
        (void)follower_->on_end(change.tid);
        bops::reap(change.tid, nullptr);
        break;
    }
  }
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
                             const Newcomers& more) {
  constexpr auto kAskAgain = std::chrono::seconds(1);
  std::optional<WaitClock::time_point> deadline;
  if (duration) deadline = WaitClock::now() + *duration;
  Ticking ticking(ticker);
  const Ticker asking{more ? kAskAgain : std::chrono::nanoseconds(0), [&] {
                        for (const pid_t pid : more())
                          if (!follower_->is_following(pid)) (void)follower_->attach(pid);
                      }};
  Ticking newcomers(asking);
  std::vector<pollfd> polled{{signals_.fd(), POLLIN, 0}};
  reap();
  // With newcomers to come, nobody left is no end.
  while (follower_->is_following_any() || more) {
    if (deadline && WaitClock::now() >= *deadline) return;
    sleep_until(polled, earliest(earliest(deadline, ticking.next()), newcomers.next()));
    const bool ends = asked_to_end();
    reap();
    if (ends) return;
    ticking.tick_if_due();
    newcomers.tick_if_due();
  }
}

}  // namespace bops
