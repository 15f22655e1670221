/* Signals that faults raise, sent by kill: blocked and let in again, from handlers, from children,
 * nested, and at moments that nobody chooses. */
#include <pthread.h>
#include <sched.h>

#include "transcript.h"

static const int kFaults[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
enum { kCount = sizeof kFaults / sizeof kFaults[0] };

static volatile int depth, handled[64];

static void count(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  ++handled[number];
}

static void tell(int number, siginfo_t* info, void* context) {
  (void)context;
  say("%*s%d by %s", 2 * depth, "", number, info->si_code == SI_TKILL ? "tgkill" : "another");
  ++depth;
  if (number == SIGFPE) raise(SIGSEGV);
  if (number == SIGSEGV) raise(SIGUSR1);
  --depth;
}

static void blocked_and_let_in(void) {
  sigset_t all, before, pending;
  sigfillset(&all);
  must(sigprocmask(SIG_SETMASK, &all, &before) == 0, "sigprocmask");
  for (int i = 0; i < kCount; ++i) raise(kFaults[i]);
  raise(SIGFPE);
  say("none so far: %d", handled[SIGFPE]);
  must(sigpending(&pending) == 0, "sigpending");
  must(sigprocmask(SIG_SETMASK, &before, NULL) == 0, "sigprocmask");
  for (int i = 0; i < kCount; ++i) say("%d: %d", kFaults[i], handled[kFaults[i]]);
}

static void let_in_by_a_handlers_end(int number, siginfo_t* info, void* context) {
  (void)info;
  raise(SIGFPE);
  say("in the handler of %d: %d", number, handled[SIGFPE]);
  sigemptyset(&((ucontext_t*)context)->uc_sigmask);
}

static volatile int is_over;

static void* send(void* target) {
  unsigned i = 0;
  while (!is_over) {
    pthread_kill(*(pthread_t*)target, kFaults[i++ % kCount]);
    sched_yield();
  }
  return NULL;
}

static int fewest(void) {
  int least = handled[kFaults[0]];
  for (int i = 1; i < kCount; ++i)
    if (handled[kFaults[i]] < least) least = handled[kFaults[i]];
  return least;
}

/* A thread that is in the kernel, in the engine or in its own code when they come. */
static void at_any_moment(void) {
  pthread_t self = pthread_self(), sender;
  must(pthread_create(&sender, NULL, send, &self) == 0, "pthread_create");
  unsigned long sum = 1;
  sigset_t faults, before;
  sigemptyset(&faults);
  for (int i = 0; i < kCount; ++i) sigaddset(&faults, kFaults[i]);
  for (int i = 0; i < 2000 || fewest() < 50; ++i) {
    must(pthread_sigmask(SIG_BLOCK, &faults, &before) == 0, "pthread_sigmask");
    if (i < 2000) sum = sum * 6364136223846793005UL + 1;
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0, "pthread_sigmask");
    const struct sigaction same = action_of(count, 0);
    must(sigaction(SIGFPE, &same, NULL) == 0, "sigaction");
  }
  is_over = 1;
  must(pthread_join(sender, NULL) == 0, "pthread_join");
  say("%lx", sum);
}

static void dies_of(int number) {
  const pid_t child = fork();
  if (child == 0) {
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    const sigset_t set = set_of(number, 0);
    must(sigprocmask(SIG_BLOCK, &set, NULL) == 0, "sigprocmask");
    must(sigaction(number, &usual, NULL) == 0, "sigaction");
    raise(number);
    must(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0, "sigprocmask");
    _exit(1);
  }
  wait_and_say("let in without a handler", child);
}

int main(void) {
  for (int i = 0; i < kCount; ++i) handle(kFaults[i], count, 0);
  blocked_and_let_in();
  const sigset_t fpe = set_of(SIGFPE, 0);
  struct sigaction action = action_of(let_in_by_a_handlers_end, 0);
  action.sa_mask = fpe;
  must(sigaction(SIGUSR2, &action, NULL) == 0, "sigaction");
  raise(SIGUSR2);
  say("after it: %d", handled[SIGFPE]);
  at_any_moment();
  for (int i = 0; i < kCount; ++i) dies_of(kFaults[i]);
  handle(SIGFPE, tell, 0);
  handle(SIGSEGV, tell, SA_NODEFER);
  handle(SIGUSR1, tell, 0);
  raise(SIGFPE);
  kill(getpid(), SIGFPE);
  return 0;
}
