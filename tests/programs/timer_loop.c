/* timer_loop [ROUNDS]: a checksum that is checked, under a handler that a 10 kHz timer calls. */
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "argument.h"
#include "known_work.h"

static volatile sig_atomic_t ticks;

static void on_tick(int number) {
  (void)number;
  ++ticks;
}

int main(int argc, char** argv) {
  const uint64_t rounds = number_argument(argc, argv, 1, 10000000);
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_tick;
  action.sa_flags = SA_RESTART;
  require(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
  const struct itimerval period = {{0, 100}, {0, 100}};
  require(setitimer(ITIMER_REAL, &period, NULL) == 0, "setitimer");
  uint64_t checksum = 0;
  for (uint64_t i = 1; i <= rounds; ++i) {
    checksum += i;
    __asm__ volatile("" : "+r"(checksum)); /* keeps the loop from becoming its closed form */
  }
  while (ticks == 0) {
  }
  const struct itimerval none = {{0, 0}, {0, 0}};
  require(setitimer(ITIMER_REAL, &none, NULL) == 0, "setitimer");
  require(checksum == rounds * (rounds + 1) / 2, "the checksum");
  return 0;
}
