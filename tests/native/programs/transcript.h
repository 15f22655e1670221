/* What the programs here share: each prints what it saw, the same in every run on every machine. */
#ifndef BOPS_TESTS_NATIVE_TRANSCRIPT_H
#define BOPS_TESTS_NATIVE_TRANSCRIPT_H

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One line, in one write: also for handlers and for children. */
__attribute__((format(printf, 1, 2))) static inline void say(const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  const int size = vsnprintf(line, sizeof(line) - 1, format, arguments);
  va_end(arguments);
  line[size] = '\n';
  if (write(1, line, (size_t)size + 1) != size + 1) _exit(90);
}

static inline void must(int good, const char* what) {
  if (good) return;
  say("FAILED: %s (%s)", what, strerror(errno));
  _exit(91);
}

static inline struct sigaction action_of(void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  return action;
}

static inline void handle(int number, void (*handler)(int, siginfo_t*, void*), int flags) {
  const struct sigaction action = action_of(handler, flags);
  must(sigaction(number, &action, NULL) == 0, "sigaction");
}

static inline sigset_t set_of(int first, int second) {
  sigset_t set;
  sigemptyset(&set);
  if (first != 0) sigaddset(&set, first);
  if (second != 0) sigaddset(&set, second);
  return set;
}

/* What a call returned; its errno if that is -1. */
static inline void say_call(const char* what, long result) {
  if (result == -1)
    say("%s: %s", what, strerror(errno));
  else
    say("%s: %ld", what, result);
}

/* How a child ended. */
static inline void say_status(const char* what, int status) {
  if (WIFEXITED(status)) say("%s: exit %d", what, WEXITSTATUS(status));
  if (WIFSIGNALED(status)) say("%s: killed by %d", what, WTERMSIG(status));
  if (WIFSTOPPED(status)) say("%s: stopped by %d", what, WSTOPSIG(status));
  if (WIFCONTINUED(status)) say("%s: continued", what);
}

static inline void wait_and_say(const char* what, pid_t pid) {
  int status = 0;
  must(waitpid(pid, &status, 0) == pid, "waitpid");
  say_status(what, status);
}

#endif
