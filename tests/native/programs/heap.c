/* heap: moves the end of its heap up and down, looks at the clock, and says what it found. */
#define _GNU_SOURCE
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, MANY = 5000 };

/* What is new is zero, what is old stays. */
static int heap_works(void) {
  char* const start = sbrk(0);
  for (int pages = 1; pages <= MANY; pages *= 3) {
    if (brk(start + pages * PAGE + 100) != 0 || sbrk(0) != start + pages * PAGE + 100) return 0;
    for (int i = 0; i < pages; i++)
      if (start[i * PAGE] != (i < pages / 3 ? 1 : 0)) return 0;
    for (int i = 0; i < pages; i++) start[i * PAGE] = 1;
  }
  if (brk(start + PAGE) != 0 || brk(start + 3 * PAGE) != 0) return 0;
  if (start[0] != 1 || start[PAGE + 1] != 0 || start[2 * PAGE] != 0) return 0;
  const long end = (long)start + 3 * PAGE;
  return syscall(SYS_brk, PAGE) == end && syscall(SYS_brk, -1) == end;
}

int main(void) {
  struct timespec now = {0, 0};
  const int works = heap_works(), clock = clock_gettime(CLOCK_REALTIME, &now);
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[4096];
  int shown = 0;
  while (fgets(line, sizeof line, maps)) shown |= strstr(line, "[heap]") != NULL;
  fclose(maps);
  printf("heap %s, clock %s, [heap] is %s, vdso: %d\n", works ? "at its place" : "broken",
         clock == 0 && now.tv_sec > 1000000 ? "goes" : "stands", shown ? "shown" : "not shown",
         getauxval(AT_SYSINFO_EHDR) != 0);
  return 0;
}
