/* read(2) by its name, which the PMU double takes the place of (tests/doubles/pmu). */
#include <unistd.h>

long read_by_libc(int fd, void* buffer, unsigned long size) {
  return read(fd, buffer, size);
}
