#include "launch/signal_hold.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace bops {

Result<SignalHold> SignalHold::take() {
  sigset_t all;
  ::sigfillset(&all);
  UniqueFd fd(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd)
    return failure("cannot create a signalfd: " + std::generic_category().message(errno),
                   "raise the limit of open files (ulimit -n)");
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  sigset_t mask;
  struct sigaction on_child {};
  ::pthread_sigmask(SIG_SETMASK, &all, &mask);
  ::sigaction(SIGCHLD, &by_default, &on_child);
  SignalHold hold(mask, on_child);
  hold.fd_ = std::move(fd);
  return hold;
}

SignalHold::~SignalHold() {
  if (fd_) restore();
}

std::optional<signalfd_siginfo> SignalHold::next() const {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof(info)) != sizeof(info)) return std::nullopt;
  return info;
}

void SignalHold::restore() const {
  ::sigaction(SIGCHLD, &on_child_, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
}

}  // namespace bops
