/* Timers of all kinds, to processes and to threads; loops left by siglongjmp out of a handler. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#include "transcript.h"

static volatile int ticks, last_value, last_code;
static sigjmp_buf out;
static volatile int jumping;

static void on_tick(int number, siginfo_t* info, void* context) {
  (void)number, (void)context;
  ++ticks;
  last_value = info->si_value.sival_int;
  last_code = info->si_code;
  if (jumping) siglongjmp(out, 1);
}

static unsigned long checksum(unsigned long rounds) {
  unsigned long sum = 0;
  for (unsigned long i = 1; i <= rounds; ++i) {
    sum = sum * 31 + i;
    __asm__ volatile("" : "+r"(sum));
  }
  return sum;
}

static void until_ticks(int wanted) {
  while (ticks < wanted) checksum(1000);
}

static void posix_timer(int notify, const char* what) {
  struct sigevent event = {.sigev_notify = notify, .sigev_signo = SIGRTMIN};
  event.sigev_value.sival_int = 4711;
  event._sigev_un._tid = gettid();
  timer_t timer;
  must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
  const struct itimerspec period = {{0, 200000}, {0, 200000}}, none = {{0, 0}, {0, 0}};
  ticks = 0;
  must(timer_settime(timer, 0, &period, NULL) == 0, "timer_settime");
  until_ticks(100);
  must(timer_settime(timer, 0, &none, NULL) == 0, "timer_settime");
  must(timer_delete(timer) == 0, "timer_delete");
  say("%s: value %d code %d", what, last_value, last_code);
}

static void interval_timer(int which, int number, const char* what) {
  handle(number, on_tick, SA_RESTART);
  const struct itimerval period = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};
  ticks = 0;
  must(setitimer(which, &period, NULL) == 0, "setitimer");
  until_ticks(10);
  must(setitimer(which, &none, NULL) == 0, "setitimer");
  say("%s: code %d", what, last_code);
}

int main(void) {
  handle(SIGRTMIN, on_tick, SA_RESTART);
  const unsigned long expected = checksum(3000000);
  posix_timer(SIGEV_SIGNAL, "timer of the process");
  posix_timer(SIGEV_THREAD_ID, "timer of the thread");
  interval_timer(ITIMER_REAL, SIGALRM, "ITIMER_REAL");
  interval_timer(ITIMER_VIRTUAL, SIGVTALRM, "ITIMER_VIRTUAL");
  interval_timer(ITIMER_PROF, SIGPROF, "ITIMER_PROF");

  const struct itimerval fast = {{0, 100}, {0, 100}}, none = {{0, 0}, {0, 0}};
  handle(SIGALRM, on_tick, 0);
  setitimer(ITIMER_REAL, &fast, NULL);
  const unsigned long meanwhile = checksum(3000000);
  setitimer(ITIMER_REAL, &none, NULL);
  say("the checksum is right under a 10 kHz timer: %d", meanwhile == expected);

  volatile int jumps = 0;
  ticks = 0;
  jumping = 1;
  if (sigsetjmp(out, 1) != 0) ++jumps;
  if (jumps < 500) {
    setitimer(ITIMER_REAL, &fast, NULL);
    for (;;) checksum(100000000);
  }
  setitimer(ITIMER_REAL, &none, NULL);
  jumping = 0;
  say("left by siglongjmp %d times", jumps);

  const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  const struct itimerspec once = {{0, 0}, {0, 1000000}};
  must(timerfd_settime(fd, 0, &once, NULL) == 0, "timerfd_settime");
  unsigned long expirations = 0;
  must(read(fd, &expirations, 8) == 8, "read");
  say("timerfd: %lu", expirations);
  return 0;
}
