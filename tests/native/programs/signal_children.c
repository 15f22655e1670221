/* SIGCHLD and job control: stopped, continued and ended children, told once each. */
#include "transcript.h"

static volatile sig_atomic_t seen;

static void on_child(int number, siginfo_t* info, void* context) {
  (void)number, (void)context;
  say("SIGCHLD code %d status %d", info->si_code, info->si_status);
  ++seen;
}

static void wait_for_signals(int many) {
  sigset_t open;
  sigprocmask(SIG_BLOCK, NULL, &open);
  sigdelset(&open, SIGCHLD);
  while (seen < many) sigsuspend(&open);
}

static int continued;

static void on_continue(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  ++continued;
}

static int gate[2];

/* The child goes on when the parent has seen what there was to see. */
static void pass(void) {
  char byte = 0;
  while (read(gate[0], &byte, 1) != 1) continue;
}
static void let_pass(void) {
  must(write(gate[1], "x", 1) == 1, "write");
}

static pid_t stopping_child(void) {
  const pid_t child = fork();
  if (child != 0) return child;
  setpgid(0, 0); /* or its group may be an orphaned one, for which SIGTSTP does nothing */
  handle(SIGCONT, on_continue, 0);
  raise(SIGSTOP);
  pass();
  raise(SIGTSTP);
  pass();
  _exit(10 + continued); /* only the parent tells: two would tell in any order */
}

int main(void) {
  must(pipe(gate) == 0, "pipe");
  const sigset_t chld = set_of(SIGCHLD, 0);
  must(sigprocmask(SIG_BLOCK, &chld, NULL) == 0, "sigprocmask");
  handle(SIGCHLD, on_child, 0);

  const pid_t child = stopping_child();
  int status = 0;
  for (int i = 0; i < 2; ++i) {
    must(waitpid(child, &status, WUNTRACED) == child, "waitpid");
    say_status("child", status);
    wait_for_signals(2 * i + 1);
    must(kill(child, SIGCONT) == 0, "kill");
    must(waitpid(child, &status, WCONTINUED) == child, "waitpid");
    say_status("child", status);
    wait_for_signals(2 * i + 2);
    let_pass();
  }
  must(waitpid(child, &status, 0) == child, "waitpid");
  say_status("child", status);
  wait_for_signals(5);

  say("without telling of stops:");
  handle(SIGCHLD, on_child, SA_NOCLDSTOP);
  sigset_t pending;
  const pid_t other = stopping_child();
  for (int i = 0; i < 2; ++i) {
    must(waitpid(other, &status, WUNTRACED) == other, "waitpid");
    say_status("other", status);
    sigpending(&pending);
    say("stopped, pending: %d", sigismember(&pending, SIGCHLD));
    must(kill(other, SIGCONT) == 0, "kill");
    let_pass();
  }
  seen = 0;
  wait_for_signals(1);
  must(waitpid(other, &status, 0) == other, "waitpid");
  say_status("other", status);

  say("no zombies:");
  handle(SIGCHLD, on_child, SA_NOCLDWAIT);
  const pid_t gone = fork();
  if (gone == 0) _exit(1);
  say_call("waitpid", waitpid(gone, &status, 0));
  return 0;
}
