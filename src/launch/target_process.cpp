#include "launch/target_process.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

#include "launch/descendants.hpp"
#include "launch/exec_error.hpp"
#include "launch/file_size_signal.hpp"
#include "launch/signal_relay.hpp"
#include "launch/waiting.hpp"
#include "platform/procfs.hpp"

namespace bops {
namespace {

/// argv or envp for execve(2), which does not write to them, whatever its parameter type says.
std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// The child: only async-signal-safe calls, as bops may have had other threads when it forked.
[[noreturn]] void become_target(int channel, const SignalHold& signals, const char* executable,
                                char* const* arguments, char* const* environment) {
  // Of a bops with capabilities, only this lets bops follow its own child (ptrace(2), access mode).
  ::prctl(PR_SET_DUMPABLE, 1);
  char go = 0;
  ssize_t got = 0;
  do {
    got = ::recv(channel, &go, sizeof(go), 0);
  } while (got < 0 && errno == EINTR);
  // End of file: bops has ended without releasing us, so the target must not run.
  if (got != sizeof(go)) ::_exit(static_cast<int>(FailureKind::kRefused));
  signals.restore();
  restore_file_size_signal();
  ::execve(executable, arguments, environment);
  const int error = errno;
  ::send(channel, &error, sizeof(error), MSG_NOSIGNAL);
  ::_exit(static_cast<int>(FailureKind::kNotFound));
}

/// Waits for the end of a child that is ending. One that is followed stops on its way.
void reap_one(pid_t pid) {
  for (;;) {
    int status = 0;
    if (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    if (!WIFSTOPPED(status)) return;
    ::ptrace(PTRACE_CONT, pid, nullptr, 0);
  }
}

}  // namespace

TargetProcess::TargetProcess(SignalHold signals, std::vector<pid_t> strangers)
    : signals_(std::move(signals)), strangers_(std::move(strangers)) {}

TargetProcess::TargetProcess(TargetProcess&& other) noexcept = default;

TargetProcess::~TargetProcess() {
  if (!is_held()) return;
  ::kill(pid_, SIGKILL);
  reap_one(pid_);
}

Result<TargetProcess> TargetProcess::spawn_held(const LaunchPlan& plan) {
  // A socket rather than pipes: writing to a dead child must not raise SIGPIPE.
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return failure("cannot create a socket: " + std::generic_category().message(errno),
                   "raise the limit of open files (ulimit -n)");
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  auto signals = SignalHold::take();
  if (!signals) return tl::unexpected(signals.error());
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);

  const std::vector<char*> arguments = pointers_to(plan.arguments);
  const std::vector<char*> environment = pointers_to(plan.environment);
  TargetProcess target(std::move(*signals), read_children(::getpid()));
  target.executable_ = plan.executable;
  target.pid_ = ::fork();
  if (target.pid_ < 0)
    return failure("cannot create a process: " + std::generic_category().message(errno),
                   "raise the limit of processes (ulimit -u), or free some memory");
  if (target.pid_ == 0) {
    ::close(ours.get());  // or the end of bops would not be its end of file
    become_target(theirs.get(), target.signals_, plan.executable.c_str(), arguments.data(),
                  environment.data());
  }
  target.channel_ = std::move(ours);
  return target;
}

Result<void> TargetProcess::follow(ThreadFollower::Listener listener,
                                   ThreadFollower::WantsExitStop wants_exit_stop) {
  auto follower = std::make_unique<ThreadFollower>(std::move(listener), std::move(wants_exit_stop));
  if (auto followed = follower->follow_held(pid_); !followed) return followed;
  follower_ = std::move(follower);
  return {};
}

int TargetProcess::await_execution() const {
  constexpr int kPatience = 5;  // milliseconds
  pollfd readable{channel_.get(), POLLIN, 0};
  // A signal may stop the followed child before its execve, which then waits for us to go on.
  while (follower_ && ::poll(&readable, 1, kPatience) <= 0) {
    siginfo_t ended{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT | __WALL);
    if (ended.si_pid == pid_) return 0;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG | WUNTRACED | __WALL) == pid_ && WIFSTOPPED(status))
      (void)follower_->on_stop(pid_, status);
  }
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::recv(channel_.get(), &error, sizeof(error), MSG_WAITALL);
  } while (got < 0 && errno == EINTR);
  return got == sizeof(error) ? error : 0;
}

Result<void> TargetProcess::release() {
  constexpr char kGo = 1;
  // A child that has died meanwhile is seen by wait(): neither call minds.
  ::send(channel_.get(), &kGo, sizeof(kGo), MSG_NOSIGNAL);
  const int error = await_execution();
  channel_.reset();
  if (error == 0) return {};
  reap_one(pid_);
  return tl::unexpected(exec_error(executable_, error));
}

bool TargetProcess::relay_signals(bool target_runs) const {
  bool asked_to_end = false;
  while (const auto info = signals_.next()) {
    if (target_runs && is_for_target(*info)) forward(*info, pid_);
    const auto signal = static_cast<int>(info->ssi_signo);
    asked_to_end |= signal == SIGINT || signal == SIGTERM || signal == SIGHUP;
  }
  return asked_to_end;
}

TargetEnd TargetProcess::wait(const Ticker& ticker, std::span<const Watched> watched) {
  using State = Descendants::State;
  Descendants descendants(pid_, strangers_, follower_.get());
  std::vector<pollfd> polled{{signals_.fd(), POLLIN, 0}};
  for (const Watched& one : watched) polled.push_back({one.fd, POLLIN, 0});
  Ticking ticking(ticker);
  bool asked_to_end = false;
  bool interrupted = false;
  State state = descendants.reap();
  while (state != State::kAllEnded && !asked_to_end) {
    if (state == State::kTargetStopped) stop_with(pid_, follower_ != nullptr);
    sleep_until(polled, ticking.next());
    const bool target_runs = state != State::kOrphansRun;
    (target_runs ? interrupted : asked_to_end) |= relay_signals(target_runs);
    state = descendants.reap();
    for (std::size_t i = 0; i < watched.size(); ++i)
      if ((polled[i + 1].revents & POLLIN) != 0) watched[i].on_readable();
    ticking.tick_if_due();
  }
  if (follower_ && state != State::kAllEnded) follower_->detach_all();
  // What ended the target at once may not have been read yet.
  interrupted |= relay_signals(false);
  return {descendants.exit(), descendants.resource_usage(), state != State::kAllEnded,
          interrupted || asked_to_end};
}

}  // namespace bops
