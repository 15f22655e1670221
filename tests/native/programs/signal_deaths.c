/* Children that die of signals, of their own doing or another's; what an exec leaves of signals. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "transcript.h"

static void returns(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
}

static void store_to_null(void) {
  __asm__ volatile("movl $1, (%0)" : : "r"(0UL) : "memory");
}
static void divide(void) {
  volatile int zero = 0;
  say("%d", 7 / zero);
}
static void illegal(void) {
  __builtin_trap();
}
static void breakpoint(void) {
  __asm__ volatile("int3");
}
static void aborts(void) {
  abort();
}
static void blocked_fault(void) {
  const sigset_t set = set_of(SIGSEGV, 0);
  sigprocmask(SIG_BLOCK, &set, NULL);
  store_to_null();
}
static void ignored_fault(void) {
  signal(SIGSEGV, SIG_IGN);
  store_to_null();
}
static void fault_in_its_own_handler(void);
static void faults_again(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  say("in the handler");
  store_to_null();
}
static void fault_in_its_own_handler(void) {
  handle(SIGSEGV, faults_again, 0);
  store_to_null();
}
static void fault_returned_to(void) {
  handle(SIGSEGV, returns, SA_RESETHAND); /* the second time it kills */
  store_to_null();
}
static void broken_stack(void) {
  handle(SIGSEGV, returns, 0);
  __asm__ volatile("mov $16, %rsp\n\tpush %rax");
}
static void jump_to_null(void) {
  ((void (*)(void))NULL)();
}
static void execute_data(void) {
  static char bytes[] = {(char)0xc3};
  ((void (*)(void))bytes)();
}
static void broken_pipe(void) {
  int ends[2];
  must(pipe(ends) == 0, "pipe");
  close(ends[0]);
  say("%ld", (long)write(ends[1], "x", 1));
}
static void handler_then_default(void) {
  handle(SIGTERM, returns, 0);
  raise(SIGTERM);
  signal(SIGTERM, SIG_DFL);
  raise(SIGTERM);
}
static void alarm_clock(void) {
  alarm(1);
  for (;;) pause();
}
static void exit_in_handler(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  _exit(number);
}
static void exits_in_handler(void) {
  handle(SIGFPE, exit_in_handler, 0);
  divide();
}

static void end_of(const char* what, void (*work)(void)) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    say("%s: not dead", what);
    _exit(0);
  }
  wait_and_say(what, child);
}

#define END_OF(work) end_of(#work, work)

int main(int argc, char** argv) {
  if (argc > 1) { /* after the exec below */
    sigset_t mask, pending;
    struct sigaction usr1, usr2;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigpending(&pending);
    sigaction(SIGUSR1, NULL, &usr1);
    sigaction(SIGUSR2, NULL, &usr2);
    stack_t stack;
    sigaltstack(NULL, &stack);
    say("after exec: HUP blocked %d pending %d, USR1 default %d, USR2 ignored %d, stack off %d",
        sigismember(&mask, SIGHUP), sigismember(&pending, SIGHUP), usr1.sa_handler == SIG_DFL,
        usr2.sa_handler == SIG_IGN, (stack.ss_flags & SS_DISABLE) != 0);
    return 0;
  }
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_DUMPABLE, 1);
  END_OF(store_to_null);
  END_OF(divide);
  END_OF(illegal);
  END_OF(breakpoint);
  END_OF(aborts);
  END_OF(blocked_fault);
  END_OF(ignored_fault);
  END_OF(fault_in_its_own_handler);
  END_OF(fault_returned_to);
  END_OF(broken_stack);
  END_OF(jump_to_null);
  END_OF(execute_data);
  END_OF(broken_pipe);
  END_OF(handler_then_default);
  END_OF(alarm_clock);
  END_OF(exits_in_handler);
  for (int number = 1; number < 32; ++number) {
    if (number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU) continue;
    const pid_t child = fork();
    if (child == 0) {
      signal(number, SIG_DFL); /* a shell ignores some for its background */
      raise(number);
      _exit(0);
    }
    char what[32];
    snprintf(what, sizeof(what), "raise(%d)", number);
    wait_and_say(what, child);
  }
  handle(SIGUSR1, returns, 0);
  signal(SIGUSR2, SIG_IGN);
  static char alternate[65536];
  const stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
  sigaltstack(&stack, NULL);
  const sigset_t hup = set_of(SIGHUP, 0);
  sigprocmask(SIG_BLOCK, &hup, NULL);
  raise(SIGHUP);
  execl("/proc/self/exe", argv[0], "again", NULL);
  return 1;
}
