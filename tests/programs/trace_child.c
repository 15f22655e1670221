/* trace_child: traces a child by PTRACE_TRACEME, as a debugger would; exits with 0 if that went
 * well, with 5 if the child may not be traced. */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argument.h"

int main(void) {
  const pid_t child = fork();
  require(child >= 0, "fork");
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(errno == EPERM ? 5 : 6);
    raise(SIGUSR1);
    _exit(3);
  }
  int status = 0;
  require(waitpid(child, &status, 0) == child, "waitpid");
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  require(WIFSTOPPED(status) && WSTOPSIG(status) == SIGUSR1, "the child stops for its tracer");
  require(ptrace(PTRACE_CONT, child, NULL, NULL) == 0, "ptrace");
  require(waitpid(child, &status, 0) == child && WIFEXITED(status), "waitpid");
  return WEXITSTATUS(status) == 3 ? 0 : 7;
}
