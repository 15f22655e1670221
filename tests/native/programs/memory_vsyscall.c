/* memory_vsyscall [TIMES]: calls at the fixed addresses, which the kernel may carry out itself. */
#include <sys/time.h>
#include <time.h>

#include "transcript.h"

static int is_mapped(void) {
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[512];
  int found = 0;
  while (fgets(line, sizeof(line), maps))
    found |= strncmp(line, "ffffffffff600000-", 17) == 0 && strchr(line, 'x') != NULL;
  fclose(maps);
  return found;
}

static void on_fault(int number, siginfo_t* info, void* context) {
  (void)context;
  say("signal %d at %p", number, info->si_addr);
  _exit(3);
}

int main(int argc, char** argv) {
  const int times = argc > 1 ? atoi(argv[1]) : 1000;
  /* How many lines there are to read differs from run to run: not where instructions are counted.
   */
  if (argc == 1 && !is_mapped()) return 0;
  long (*get_time)(long*) = (long (*)(long*))0xffffffffff600400;
  int (*get_day)(struct timeval*, void*) = (int (*)(struct timeval*, void*))0xffffffffff600000;
  int (*get_cpu)(unsigned*, unsigned*, void*) =
      (int (*)(unsigned*, unsigned*, void*))0xffffffffff600800;
  int good = 0;
  for (int i = 0; i < times; i++) {
    long stored = 0;
    struct timeval day = {0, 0};
    unsigned cpu = ~0U, node = ~0U;
    const long now = get_time(&stored);
    const int day_result = get_day(&day, NULL), cpu_result = get_cpu(&cpu, &node, NULL);
    /* All of it each time: the count must not depend on what the clock says. */
    good += (now == stored) & (day_result == 0) & (day.tv_sec >= now - 9) &
            (day.tv_sec <= now + 9) & (cpu_result == 0) & (cpu < 65536);
  }
  say("good: %d", good == times);
  handle(SIGSEGV, on_fault, 0);
  get_time((long*)16);
  return 1;
}
