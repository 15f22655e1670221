/* overlay ADDRESS: tries to map over what lies there, and to take it away; says what it was told.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void show(const char* call, int holds) {
  printf("%s: %s\n", call, holds ? "done" : strerrorname_np(errno));
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  enum { SIZE = 4096, RW = PROT_READ | PROT_WRITE, KIND = MAP_PRIVATE | MAP_ANONYMOUS };
  void* const there = (void*)strtoul(argv[1], NULL, 16);
  void* const own = mmap(NULL, SIZE, RW, KIND, -1, 0);
  show("mmap", mmap(there, SIZE, RW, KIND | MAP_FIXED, -1, 0) != MAP_FAILED);
  show("mmap beside", mmap(there, SIZE, RW, KIND | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
  show("munmap", munmap(there, SIZE) == 0);
  show("mprotect", mprotect(there, SIZE, PROT_NONE) == 0);
  show("mremap", mremap(there, SIZE, 2 * SIZE, MREMAP_MAYMOVE) != MAP_FAILED);
  show("mremap over", mremap(own, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, there) != MAP_FAILED);
  show("madvise", madvise(there, SIZE, MADV_DONTNEED) == 0);
  return 0;
}
