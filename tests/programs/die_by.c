/* die_by SIGNAL: dies by it whatever was inherited, without a core file of its own. */
#include <signal.h>
#include <sys/resource.h>

#include "argument.h"

int main(int argc, char** argv) {
  const int number = (int)number_argument(argc, argv, 1, SIGKILL);
  const struct rlimit none = {0, 0};
  require(setrlimit(RLIMIT_CORE, &none) == 0, "setrlimit");
  signal(number, SIG_DFL);
  sigset_t none_blocked;
  sigemptyset(&none_blocked);
  sigprocmask(SIG_SETMASK, &none_blocked, NULL);
  raise(number);
  return 1; /* a signal that does not kill */
}
