/* Handlers in handlers: masks, SA_NODEFER, SA_RESETHAND, and in which order things happen. */
#include "transcript.h"

static int depth;

static void on_inner(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  say("%*sin %d", 2 * ++depth, "", number);
  if (number == SIGUSR1) raise(SIGUSR2);
  if (number == SIGUSR2) raise(SIGURG);
  say("%*sout %d", 2 * depth--, "", number);
}

static void on_recursion(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  say("%*sin %d", 2 * ++depth, "", number);
  if (depth < 5) raise(number);
  say("%*sout %d", 2 * depth--, "", number);
}

static void on_once(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  struct sigaction now;
  must(sigaction(number, NULL, &now) == 0, "sigaction");
  say("once %d, default already: %d", number, now.sa_handler == SIG_DFL);
}

static void say_mask(const char* when) {
  sigset_t now;
  must(sigprocmask(SIG_BLOCK, NULL, &now) == 0, "sigprocmask");
  say("%s: USR1 %d USR2 %d HUP %d ALRM %d", when, sigismember(&now, SIGUSR1),
      sigismember(&now, SIGUSR2), sigismember(&now, SIGHUP), sigismember(&now, SIGALRM));
}

static void on_mask(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  say_mask("in the handler");
}

int main(void) {
  handle(SIGUSR1, on_inner, 0);
  handle(SIGUSR2, on_inner, 0);
  handle(SIGURG, on_inner, 0);
  raise(SIGUSR1);

  say("one that blocks the inner one:");
  struct sigaction blocking = action_of(on_inner, 0);
  blocking.sa_mask = set_of(SIGUSR2, 0);
  must(sigaction(SIGUSR1, &blocking, NULL) == 0, "sigaction");
  raise(SIGUSR1);

  say("deferred, then not:");
  handle(SIGHUP, on_recursion, SA_NODEFER);
  raise(SIGHUP);
  handle(SIGURG, on_once, SA_RESETHAND);
  raise(SIGURG);
  say("the default of SIGURG is to be ignored: %d", raise(SIGURG));

  struct sigaction masked = action_of(on_mask, 0);
  masked.sa_mask = set_of(SIGHUP, SIGUSR2);
  must(sigaction(SIGALRM, &masked, NULL) == 0, "sigaction");
  say_mask("before");
  raise(SIGALRM);
  say_mask("after");
  masked.sa_flags |= SA_NODEFER;
  must(sigaction(SIGALRM, &masked, NULL) == 0, "sigaction");
  raise(SIGALRM);
  return 0;
}
