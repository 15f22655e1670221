/* Handlers on an alternate stack; a stack overflow caught there, three times. */
#include <setjmp.h>
#include <sys/resource.h>

#include "transcript.h"

static char alternate[65536];
static sigjmp_buf back;

static int on_alternate(const void* address) {
  return (const char*)address >= alternate && (const char*)address < alternate + sizeof(alternate);
}

static void on_usr1(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  stack_t now;
  must(sigaltstack(NULL, &now) == 0, "sigaltstack");
  int here = number;
  say("handler of %d on the alternate stack: %d, SS_ONSTACK: %d", number, on_alternate(&here),
      (now.ss_flags & SS_ONSTACK) != 0);
  if (!(now.ss_flags & SS_ONSTACK)) return;
  stack_t other = now;
  other.ss_flags = 0;
  say_call("changing it meanwhile", sigaltstack(&other, NULL));
}

static void on_segv(int number, siginfo_t* info, void* context) {
  (void)context;
  int here = number;
  say("overflow caught, alternate: %d, code %d", on_alternate(&here), info->si_code);
  siglongjmp(back, 1);
}

__attribute__((noinline)) static int overflow(int depth) {
  volatile char page[4096];
  page[0] = (char)depth;
  const int below = depth < 1 << 30 ? overflow(depth + 1) : 0;
  return below + page[0];
}

int main(void) {
  const struct rlimit small = {1 << 20, RLIM_INFINITY};
  must(setrlimit(RLIMIT_STACK, &small) == 0, "setrlimit");
  handle(SIGUSR1, on_usr1, 0);
  raise(SIGUSR1);
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
  must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
  raise(SIGUSR1);
  handle(SIGUSR1, on_usr1, SA_ONSTACK);
  raise(SIGUSR1);
  handle(SIGSEGV, on_segv, SA_ONSTACK);
  for (int i = 0; i < 3; ++i)
    if (sigsetjmp(back, 1) == 0) say("%d", overflow(0));
  stack.ss_flags = SS_DISABLE;
  must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
  raise(SIGUSR1);
  stack.ss_flags = 0;
  stack.ss_size = 100;
  say("too small: %s", sigaltstack(&stack, NULL) == 0 ? "taken" : strerror(errno));
  return 0;
}
