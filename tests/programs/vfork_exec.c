/* vfork_exec: executes itself in a child made by vfork, which exits with 42. */
#define _DEFAULT_SOURCE
#include <sys/wait.h>
#include <unistd.h>

#include "argument.h"
#include "known_work.h"

int main(int argc, char** argv) {
  if (argc > 1) {
    known_work(100000);
    return 42;
  }
  char* const next[] = {argv[0], "child", NULL};
  const pid_t child = vfork();
  if (child == 0) {
    execv("/proc/self/exe", next);
    _exit(1);
  }
  int status = 0;
  require(child > 0 && waitpid(child, &status, 0) == child, "waitpid");
  require(WIFEXITED(status) && WEXITSTATUS(status) == 42, "the child's own exit status");
  return 0;
}
