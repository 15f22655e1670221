#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "launch/target_process.hpp"

namespace bops {
namespace {

void die_by(int signal) {
  // A core file would be one of bops, in the place of the target's own. A limit of 0 does not stop
  // a core_pattern that is a pipe; being undumpable does (core(5)).
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);

  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(signal, &by_default, nullptr);
  ::raise(signal);  // pending until unblocked
  sigset_t only_this;
  ::sigemptyset(&only_this);
  ::sigaddset(&only_this, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &only_this, nullptr);
}

}  // namespace

void exit_like(const ExitStatus& status) {
  constexpr int kShellSignalBase = 128;
  std::fflush(nullptr);
  if (status.signal) {
    die_by(*status.signal);
    ::_exit(kShellSignalBase + *status.signal);
  }
  ::_exit(status.code.value_or(static_cast<int>(FailureKind::kRefused)));
}

}  // namespace bops
