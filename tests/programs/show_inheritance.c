/* show_inheritance: what it has from its parent: open descriptors, blocked and ignored signals,
 * process group, session, directory, limit of descriptors. The same twice under the same parent. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "argument.h"

static void show_descriptors(void) {
  puts("start");
  for (int fd = 0; fd < 1024; ++fd)
    if (fcntl(fd, F_GETFD) >= 0) printf("descriptor %d %d\n", fd, fcntl(fd, F_GETFL) & O_ACCMODE);
}

static void show_signals(void) {
  char line[256];
  FILE* status = fopen("/proc/self/status", "r");
  require(status != NULL, "/proc/self/status");
  while (fgets(line, sizeof(line), status) != NULL)
    if (strncmp(line, "SigBlk", 6) == 0 || strncmp(line, "SigIgn", 6) == 0 ||
        strncmp(line, "SigPnd", 6) == 0 || strncmp(line, "ShdPnd", 6) == 0)
      fputs(line, stdout);
  fclose(status);
}

int main(void) {
  show_descriptors();
  show_signals();
  char directory[4096];
  require(getcwd(directory, sizeof(directory)) != NULL, "getcwd");
  struct rlimit limit;
  require(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  printf("group %d\nsession %d\ndirectory %s\nlimit %lu\n", (int)getpgrp(), (int)getsid(0),
         directory, (unsigned long)limit.rlim_cur);
  return 0;
}
