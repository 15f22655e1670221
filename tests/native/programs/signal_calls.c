/* The calls about signals: what was set comes back, what waits is seen, what is wrong is refused.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>

#include "transcript.h"

static void first(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  say("first %d", number);
}
static void second(int number) {
  say("second %d", number);
}

static void say_action(const char* when, const struct sigaction* action) {
  say("%s: first %d second %d default %d ignored %d, flags %#x, masks USR2 %d", when,
      action->sa_sigaction == first, action->sa_handler == second, action->sa_handler == SIG_DFL,
      action->sa_handler == SIG_IGN, (unsigned)action->sa_flags & ~0x04000000u,
      sigismember(&action->sa_mask, SIGUSR2));
}

static void actions(void) {
  struct sigaction old, now = action_of(first, SA_RESTART | SA_ONSTACK);
  now.sa_mask = set_of(SIGUSR2, 0);
  must(sigaction(SIGUSR1, &now, &old) == 0, "sigaction");
  say_action("at first", &old);
  struct sigaction plain = {.sa_handler = second};
  must(sigaction(SIGUSR1, &plain, &old) == 0, "sigaction");
  say_action("then", &old);
  must(sigaction(SIGUSR1, NULL, &old) == 0, "sigaction");
  say_action("asked only", &old);
  raise(SIGUSR1);
  say("signal returns the second: %d", signal(SIGUSR1, SIG_IGN) == second);
  raise(SIGUSR1);
  must(sigaction(SIGUSR1, NULL, &old) == 0, "sigaction");
  say_action("ignored", &old);
  for (int bad = 0; bad < 4; ++bad) {
    static const int numbers[] = {0, SIGKILL, SIGSTOP, 65};
    say_call("sigaction of what cannot be handled", sigaction(numbers[bad], &plain, NULL));
  }
  say("asking for SIGKILL: %d", sigaction(SIGKILL, NULL, &old));
  say_call("unreadable", syscall(SYS_rt_sigaction, SIGUSR1, 8, NULL, 8));
  say_call("wrong size", syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 7));
  signal(SIGUSR1, second);
}

static void masks(void) {
  sigset_t set = set_of(SIGUSR1, SIGKILL), old;
  must(sigprocmask(SIG_BLOCK, &set, &old) == 0, "sigprocmask");
  say("before: %d", sigismember(&old, SIGUSR1));
  must(sigprocmask(SIG_SETMASK, NULL, &old) == 0, "sigprocmask");
  say("now: USR1 %d KILL %d", sigismember(&old, SIGUSR1), sigismember(&old, SIGKILL));
  raise(SIGUSR1);
  raise(SIGUSR1);
  must(sigpending(&set) == 0, "sigpending");
  say("pending: USR1 %d USR2 %d", sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2));
  sigemptyset(&set);
  say_call("sigsuspend", sigsuspend(&set));
  must(sigpending(&set) == 0, "sigpending");
  say("pending: %d", sigismember(&set, SIGUSR1));
  must(sigprocmask(SIG_BLOCK, NULL, &old) == 0, "sigprocmask");
  say("blocked again: %d", sigismember(&old, SIGUSR1));
  say_call("how 7", sigprocmask(7, &set, NULL));
}

static void waits(void) {
  sigset_t set = set_of(SIGUSR1, SIGUSR2);
  must(sigprocmask(SIG_BLOCK, &set, NULL) == 0, "sigprocmask");
  siginfo_t info;
  struct timespec soon = {0, 1000000};
  say_call("nothing", sigtimedwait(&set, &info, &soon));
  const union sigval value = {.sival_int = 77};
  must(sigqueue(getpid(), SIGUSR2, value) == 0, "sigqueue");
  const int waited = sigwaitinfo(&set, &info);
  say("waited for %d: code %d value %d mine %d", waited, info.si_code, info.si_value.sival_int,
      info.si_pid == getpid() && info.si_uid == getuid());
  int number = 0;
  raise(SIGUSR1);
  say_call("sigwait", sigwait(&set, &number));
  say("got %d", number);

  const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  struct signalfd_siginfo seen;
  say_call("empty", read(fd, &seen, sizeof(seen)));
  must(sigqueue(getpid(), SIGUSR1, value) == 0, "sigqueue");
  struct pollfd readable = {fd, POLLIN, 0};
  say("poll: %d", poll(&readable, 1, 1000));
  must(read(fd, &seen, sizeof(seen)) == (ssize_t)sizeof(seen), "read");
  say("signalfd: %u code %d value %d", seen.ssi_signo, seen.ssi_code, seen.ssi_int);
  close(fd);
}

static void masked_waits(void) {
  sigset_t set = set_of(SIGUSR1, 0), none;
  sigemptyset(&none);
  must(sigprocmask(SIG_SETMASK, &set, NULL) == 0, "sigprocmask");
  raise(SIGUSR1);
  struct timespec second_long = {1, 0};
  say_call("ppoll", ppoll(NULL, 0, &second_long, &none));
  raise(SIGUSR1);
  say_call("pselect", pselect(0, NULL, NULL, NULL, &second_long, &none));
  sigset_t now;
  sigprocmask(SIG_BLOCK, NULL, &now);
  say("still blocked: %d", sigismember(&now, SIGUSR1));
}

int main(void) {
  actions();
  masks();
  waits();
  masked_waits();
  return 0;
}
