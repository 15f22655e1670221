/* region_call_cost [MILLIONS]: nanoseconds of CPU time per call of an empty function and of each
 * function of the region library, a line each, in loops of so many million calls: "empty 1.23". */
#include <stdint.h>
#include <time.h>

#include "argument.h"
#include "bops/region.h"

/* As far from the caller as the library is: neither inlined nor known. */
static __attribute__((noinline)) void empty(void) {
  __asm__ volatile("");
}
static void (*volatile empty_function)(void) = empty;

/* CPU time: other programs on the machine are not in it. */
static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int main(int argc, char** argv) {
  const uint64_t calls = 1000000 * number_argument(argc, argv, 1, 20);
  bops_region_end(); /* the first call asks for an engine */
  uint64_t times[5];
  void (*const function)(void) = empty_function;
  times[0] = now_ns();
  for (uint64_t i = 0; i < calls; ++i) function();
  times[1] = now_ns();
  for (uint64_t i = 0; i < calls; ++i) bops_region_begin("region");
  times[2] = now_ns();
  for (uint64_t i = 0; i < calls; ++i) bops_region_end();
  times[3] = now_ns();
  for (uint64_t i = 0; i < calls; ++i) bops_work("unit", i);
  times[4] = now_ns();
  const char* const names[] = {"empty", "bops_region_begin", "bops_region_end", "bops_work"};
  for (int i = 0; i < 4; ++i)
    printf("%s %.2f\n", names[i], (double)(times[i + 1] - times[i]) / (double)calls);
  return 0;
}
