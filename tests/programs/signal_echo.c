/* signal_echo: says "ready", then "SIGNAL CODE VALUE" for each signal it gets, until SIGTERM.
 * SIGTSTP stops it as usual. */
#include <signal.h>
#include <unistd.h>

#include "argument.h"

int main(void) {
  sigset_t all;
  sigfillset(&all);
  sigdelset(&all, SIGTSTP);
  require(sigprocmask(SIG_SETMASK, &all, NULL) == 0, "sigprocmask");
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  puts("ready");
  for (;;) {
    siginfo_t info;
    const int number = sigwaitinfo(&all, &info);
    if (number < 0) continue; /* interrupted by a stop */
    printf("%d %d %d\n", number, info.si_code, info.si_value.sival_int);
    if (number == SIGTERM) return 0;
  }
}
