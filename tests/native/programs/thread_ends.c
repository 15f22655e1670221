/* Processes that end from a thread: exit, exit_group, execve, a fault; and main leaving first. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include "transcript.h"

static const char* self;

static void at_exit(void) {
  say("  atexit ran");
}
static void* spins(void* argument) {
  for (;;) __asm__ volatile("" : : : "memory");
  return argument;
}
static void* sleeps(void* argument) {
  for (;;) pause();
  return argument;
}
static void* exits(void* argument) {
  exit(3);
  return argument;
}
static void* exits_raw(void* argument) {
  syscall(SYS_exit_group, 4);
  return argument;
}
static void* executes(void* argument) {
  char* const words[] = {"renamed", "after-exec", NULL};
  execve(self, words, environ);
  return argument;
}
static void* faults(void* argument) {
  __asm__ volatile("movl $1, (%0)" : : "r"(0UL) : "memory");
  return argument;
}
static void* works_on(void* argument) {
  const struct timespec a_while = {0, 20000000};
  nanosleep(&a_while, NULL);
  say("  still working when main has left");
  return argument;
}
static void* forks(void* argument) {
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit((int)(long)argument);
    int status = 0;
    must(waitpid(child, &status, 0) == child, "waitpid");
    must(WEXITSTATUS(status) == (int)(long)argument, "the child's status");
  }
  return (void*)20;
}

static void case_of(const char* what, void* (*work)(void*), int main_leaves) {
  const pid_t child = fork();
  if (child == 0) {
    atexit(at_exit);
    pthread_t threads[3];
    if (!main_leaves) pthread_create(&threads[0], NULL, spins, NULL);
    if (!main_leaves) pthread_create(&threads[1], NULL, sleeps, NULL);
    pthread_create(&threads[2], NULL, work, NULL);
    if (main_leaves) pthread_exit(NULL);
    for (;;) pause();
  }
  wait_and_say(what, child);
}

int main(int argc, char** argv) {
  if (argc > 1) {
    say("  %s %s, one thread: %d", argv[0], argv[1], getpid() == gettid());
    return 6;
  }
  self = "/proc/self/exe";
  case_of("exit in a thread", exits, 0);
  case_of("exit_group in a thread", exits_raw, 0);
  case_of("execve in a thread", executes, 0);
  case_of("a fault in a thread", faults, 0);
  case_of("main leaves", works_on, 1);
  pthread_t threads[8];
  long forked = 0;
  for (long i = 0; i < 8; ++i) pthread_create(&threads[i], NULL, forks, (void*)(i + 1));
  for (int i = 0; i < 8; ++i) {
    void* result = NULL;
    pthread_join(threads[i], &result);
    forked += (long)result;
  }
  say("forked in threads: %ld", forked);
  return 0;
}
