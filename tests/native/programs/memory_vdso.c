/* The clock calls that need no system call, held against the system calls. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "transcript.h"

static long nanoseconds(struct timespec at) {
  return at.tv_sec * 1000000000L + at.tv_nsec;
}

int main(void) {
  static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC,       CLOCK_MONOTONIC_RAW,
                                     CLOCK_BOOTTIME, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE};
  for (unsigned i = 0; i < sizeof(clocks) / sizeof(*clocks); ++i) {
    struct timespec fast, slow, resolution;
    int backwards = 0, apart = 0;
    for (int j = 0; j < 20000; ++j) {
      clock_gettime(clocks[i], &fast);
      syscall(SYS_clock_gettime, clocks[i], &slow);
      backwards += nanoseconds(slow) < nanoseconds(fast);
      apart += nanoseconds(slow) - nanoseconds(fast) > 2000000000L;
    }
    clock_getres(clocks[i], &resolution);
    say("clock %d: backwards %d, far apart %d, resolution %d", clocks[i], backwards, apart,
        resolution.tv_nsec > 0);
  }
  struct timeval now;
  gettimeofday(&now, NULL);
  const time_t seconds = time(NULL);
  say("time: %d", seconds - now.tv_sec >= 0 && seconds - now.tv_sec < 5);
  unsigned processor = 0, node = 0;
  say("getcpu: %d %d", getcpu(&processor, &node), sched_getcpu() >= 0);
  long sum = 0;
  for (int i = 0; i < 200000; ++i) {
    clock_gettime(CLOCK_MONOTONIC, &(struct timespec){0, 0});
    ++sum;
  }
  say("%ld calls", sum);
  return 0;
}
