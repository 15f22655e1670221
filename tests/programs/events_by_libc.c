/* read(2) and mmap(2) of events by their names, which the PMU double takes the place of
 * (tests/doubles/pmu). */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

long read_event(int fd, void* buffer, unsigned long size) {
  return read(fd, buffer, size);
}

long map_event(int fd, unsigned long size) {
  void* const mapped = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
  return mapped == MAP_FAILED ? -errno : (long)mapped;
}
