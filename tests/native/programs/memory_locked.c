/* mlockall: what the program has is locked, what the engine keeps beside it is not brought in. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "transcript.h"

enum { PAGES = 200, PAGE = 4096 };
static char pages[PAGES * PAGE] __attribute__((aligned(PAGE)));

static int resident(void* start) {
  unsigned char seen[PAGES];
  must(mincore(start, sizeof(pages), seen) == 0, "mincore");
  int count = 0;
  for (int i = 0; i < PAGES; i++) count += seen[i] & 1;
  return count;
}

static void* touch(void* argument) {
  pages[0]++;
  return argument;
}

int main(void) {
  say_call("no flags", mlockall(0));
  say_call("unknown flags", mlockall(64));
  say("before: %d", resident(pages));
  say_call("lock", mlockall(MCL_CURRENT | MCL_FUTURE));
  say("after: %d", resident(pages));
  pthread_t thread;
  must(pthread_create(&thread, NULL, touch, NULL) == 0, "pthread_create");
  pthread_join(thread, NULL);
  const pid_t child = fork();
  if (child == 0) _exit(pages[0]);
  wait_and_say("child", child);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  say("small: %d", usage.ru_maxrss < 400 * 1024);
  say_call("unlock", munlockall());
  return 0;
}
