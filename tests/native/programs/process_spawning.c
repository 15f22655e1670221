/* Children of every kind: fork, vfork, posix_spawn, system, popen, clone, clone3. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>

#include "transcript.h"

static int shared;

static void vforked(void) {
  volatile int before = 1;
  const pid_t child = vfork();
  if (child == 0) {
    before = 2;
    execl("/bin/sh", "sh", "-c", "exit 12", (char*)NULL);
    _exit(1);
  }
  wait_and_say("vfork and exec", child);
  say("the memory was shared: %d", before);
  const pid_t failing = vfork();
  if (failing == 0) {
    execl("/no/such/program", "x", (char*)NULL);
    _exit(errno == ENOENT ? 33 : 34);
  }
  wait_and_say("vfork and no exec", failing);
}

static void spawned(void) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 7, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addclose(&actions, 0);
  posix_spawnattr_init(&attributes);
  const sigset_t mask = set_of(SIGUSR1, 0);
  posix_spawnattr_setsigmask(&attributes, &mask);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  char script[] =
      "test -e /proc/self/fd/7 && echo has 7; test -e /proc/self/fd/0 || echo lacks 0; "
      "grep SigBlk /proc/self/status; kill -USR1 $$; exit 21";
  char* words[] = {"sh", "-c", script, NULL};
  pid_t child = 0;
  const int result = posix_spawn(&child, "/bin/sh", &actions, &attributes, words, environ);
  wait_and_say("spawned", child);
  say_call("posix_spawn", result);  // said last: the child says things, too
  say("missing: %s", strerror(posix_spawn(&child, "/no/such", NULL, NULL, words, environ)));
  say("by PATH: %s", strerror(posix_spawnp(&child, "true", NULL, NULL, words, environ)));
  wait_and_say("true", child);
}

static void shells(void) {
  fflush(stdout);
  say_status("system", system("echo from the shell; exit 4"));
  FILE* pipe = popen("printf 'a line\\n'; exit 5", "r");
  char line[64] = "";
  must(fgets(line, sizeof(line), pipe) != NULL, "fgets");
  line[strcspn(line, "\n")] = '\0';
  const int status = pclose(pipe);
  say("popen: %s", line);
  say_status("pclose", status);
}

static int in_clone(void* argument) {
  shared += *(int*)argument;
  return 17;
}

static void clones(void) {
  static char stack[65536];
  int five = 5;
  pid_t child = clone(in_clone, stack + sizeof(stack), CLONE_VM | SIGCHLD, &five);
  wait_and_say("clone sharing memory", child);
  say("shared %d", shared);
  child = clone(in_clone, stack + sizeof(stack), SIGCHLD, &five);
  wait_and_say("clone not sharing", child);
  say("shared %d", shared);
  child =
      clone(in_clone, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &five);
  wait_and_say("clone like vfork", child);
  say("shared %d", shared);

  int pidfd = -1;
  struct clone_args arguments = {
      .flags = CLONE_PIDFD, .pidfd = (unsigned long)&pidfd, .exit_signal = SIGCHLD};
  child = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
  if (child == 0) _exit(18);
  siginfo_t info = {0};
  must(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) == 0, "waitid");
  say("clone3: code %d status %d", info.si_code, info.si_status);
  say_call("clone3 of too little", syscall(SYS_clone3, &arguments, 8));
}

static void grandchildren(void) {
  int total = 0;
  for (int i = 0; i < 5; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      int inner = 0;
      for (int j = 0; j < 3; ++j) {
        const pid_t below = fork();
        if (below == 0) _exit(i + j);
        int status = 0;
        waitpid(below, &status, 0);
        inner += WEXITSTATUS(status);
      }
      _exit(inner);
    }
    int status = 0;
    must(waitpid(child, &status, 0) == child, "waitpid");
    total += WEXITSTATUS(status);
  }
  say("grandchildren: %d", total);
}

static void daemon_writes(void) {
  int ends[2];
  must(pipe(ends) == 0, "pipe");
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    must(chdir("/") == 0, "chdir");
    const char text[] = "from the daemon";
    if (write(ends[1], text, sizeof(text)) != (ssize_t)sizeof(text)) _exit(1);
    _exit(0);
  }
  wait_and_say("the daemon's parent", child);
  char text[64] = "";
  must(read(ends[0], text, sizeof(text)) > 0, "read");
  say("%s", text);
}

int main(void) {
  vforked();
  spawned();
  shells();
  clones();
  grandchildren();
  daemon_writes();
  return 0;
}
