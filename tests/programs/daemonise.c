/* daemonise FILE [MILLISECONDS [WORK]]: forks twice and exits with 3; the orphan, in a session of
 * its own, works for that long, then writes FILE. */
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "argument.h"
#include "known_work.h"

static void live_on(const char* path, unsigned long milliseconds, uint64_t work) {
  known_work(work);
  const struct timespec pause = {(time_t)(milliseconds / 1000),
                                 (long)(milliseconds % 1000) * 1000000};
  nanosleep(&pause, NULL);
  FILE* file = fopen(path, "w");
  require(file != NULL && fclose(file) == 0, "write");
}

int main(int argc, char** argv) {
  require(argc > 1, "daemonise FILE");
  const unsigned long milliseconds = number_argument(argc, argv, 2, 200);
  const uint64_t work = number_argument(argc, argv, 3, 100000);
  const pid_t between = fork();
  require(between >= 0, "fork");
  if (between == 0) {
    require(setsid() > 0, "setsid");
    const pid_t orphan = fork();
    require(orphan >= 0, "fork");
    if (orphan == 0) live_on(argv[1], milliseconds, work);
    _exit(0);
  }
  int status = 0;
  require(waitpid(between, &status, 0) == between && status == 0, "waitpid");
  return 3;
}
