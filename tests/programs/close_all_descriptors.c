/* close_all_descriptors [WORK]: closes every descriptor it can have, computes, exits with 7. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "argument.h"
#include "known_work.h"

int main(int argc, char** argv) {
  struct rlimit limit;
  require(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  const long highest = limit.rlim_cur > 65536 ? 65536 : (long)limit.rlim_cur;
  for (int fd = 0; fd < highest; ++fd) close(fd);
  known_work(number_argument(argc, argv, 1, 100000));
  /* All closed: the lowest descriptor is free again. */
  return open("/dev/null", O_RDONLY) == 0 ? 7 : 1;
}
