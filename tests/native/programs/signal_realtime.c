/* Real-time signals: queued, in order, with their values; who sent what. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/syscall.h>

#include "transcript.h"

static int sum;

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)context;
  say("RTMIN+%d code %d value %d mine %d", number - SIGRTMIN, info->si_code,
      info->si_value.sival_int, info->si_pid == getpid());
}

static void on_many(int number, siginfo_t* info, void* context) {
  (void)number, (void)context;
  sum = sum * 31 + info->si_value.sival_int;
}

static void on_sender(int number, siginfo_t* info, void* context) {
  (void)context;
  say("signal %d code %d pid mine %d uid mine %d", number, info->si_code, info->si_pid == getpid(),
      info->si_uid == getuid());
}

static void queue(int number, int value) {
  const union sigval payload = {.sival_int = value};
  must(sigqueue(getpid(), number, payload) == 0, "sigqueue");
}

int main(void) {
  sigset_t all;
  sigfillset(&all);
  for (int i = 0; i < 3; ++i) {
    struct sigaction action = action_of(on_signal, 0);
    action.sa_mask = all; /* one after the other, lowest first */
    must(sigaction(SIGRTMIN + i, &action, NULL) == 0, "sigaction");
  }
  must(sigprocmask(SIG_BLOCK, &all, NULL) == 0, "sigprocmask");
  for (int i = 0; i < 9; ++i) queue(SIGRTMIN + 2 - i % 3, i);
  must(sigprocmask(SIG_UNBLOCK, &all, NULL) == 0, "sigprocmask");

  say("nested, highest first where handlers do not block the others:");
  for (int i = 0; i < 3; ++i) handle(SIGRTMIN + i, on_signal, 0);
  must(sigprocmask(SIG_BLOCK, &all, NULL) == 0, "sigprocmask");
  for (int i = 0; i < 6; ++i) queue(SIGRTMIN + i % 3, 10 + i);
  must(sigprocmask(SIG_UNBLOCK, &all, NULL) == 0, "sigprocmask");

  handle(SIGRTMIN + 5, on_many, 0);
  must(sigprocmask(SIG_BLOCK, &all, NULL) == 0, "sigprocmask");
  for (int i = 0; i < 1000; ++i) queue(SIGRTMIN + 5, i);
  must(sigprocmask(SIG_UNBLOCK, &all, NULL) == 0, "sigprocmask");
  say("a thousand in order: %d", sum);
  sum = 0;
  for (int i = 0; i < 1000; ++i) queue(SIGRTMIN + 5, i);
  say("a thousand at once each: %d", sum);

  handle(SIGUSR1, on_sender, 0);
  raise(SIGUSR1);
  kill(getpid(), SIGUSR1);
  syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1);
  queue(SIGUSR1, 1);
  siginfo_t made = {.si_signo = SIGUSR1, .si_code = -60};
  must(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &made) == 0, "rt_sigqueueinfo");
  return 0;
}
