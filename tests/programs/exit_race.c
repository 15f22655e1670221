/* exit_race N: N children, one after another, that end while a thread of theirs makes threads: some
 * of those are killed before their first instruction. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argument.h"

enum { kThreads = 8, kDelays = 20, kDelayStepUs = 100 };

static void* nothing(void* argument) {
  return argument;
}

static void* make_threads(void* argument) {
  for (int i = 0; i < kThreads; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) != 0) break;
  }
  return argument;
}

int main(int argc, char** argv) {
  const unsigned long count = number_argument(argc, argv, 1, 20);
  for (unsigned long i = 0; i < count; ++i) {
    const pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
      pthread_t maker;
      require(pthread_create(&maker, NULL, make_threads, NULL) == 0, "pthread_create");
      usleep((useconds_t)(i % kDelays * kDelayStepUs));
      _exit(0);
    }
    require(waitpid(child, NULL, 0) == child, "waitpid");
  }
  return 0;
}
