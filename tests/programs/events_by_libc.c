/* read(2), mmap(2) and munmap(2) of events by their names, which the PMU double takes the place of
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

void unmap_event(const void* page, unsigned long size) {
  munmap((void*)page, size);
}
