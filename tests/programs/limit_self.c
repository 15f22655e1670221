/* limit_self: no new descriptors, no file growth, little memory, no core; checks that they hold. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "argument.h"
#include "known_work.h"

static void limit(int resource, rlim_t value) {
  const struct rlimit both = {value, value};
  require(setrlimit(resource, &both) == 0, "setrlimit");
}

int main(int argc, char** argv) {
  static const rlim_t kAddressSpace = 1UL << 20; /* less than is mapped: nothing can be added */
  const uint64_t work = number_argument(argc, argv, 1, 100000);
  char path[] = "/tmp/limit_self.XXXXXX";
  const int file = mkstemp(path);
  require(file >= 0 && unlink(path) == 0, "mkstemp");
  signal(SIGXFSZ, SIG_IGN);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_NOFILE, 3);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_AS, kAddressSpace);
  known_work(work);
  require(write(file, "x", 1) == -1 && errno == EFBIG, "file size is limited");
  require(dup(file) == -1 && errno == EMFILE, "descriptors are limited");
  require(mmap(NULL, 1UL << 24, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED,
          "memory is limited");
  return 0;
}
