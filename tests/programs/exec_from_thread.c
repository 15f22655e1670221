/* exec_from_thread [LEADER_ENDS]: a second thread executes the program again (by argv[0]), which
 * exits with 7. The first thread waits meanwhile, or has ended before with LEADER_ENDS not 0. */
#define _GNU_SOURCE
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "argument.h"

static char** arguments;
static unsigned long leader_ends;

static void* run(void* unused) {
  const struct timespec a_while = {0, 50 * 1000 * 1000};
  if (leader_ends != 0) nanosleep(&a_while, NULL);
  char* const next[] = {arguments[0], "0", "again", NULL};
  execv(arguments[0], next);
  require(0, "execv");
  return unused;
}

static void* wait_for_ever(void* unused) {
  pause();
  return unused;
}

int main(int argc, char** argv) {
  if (argc > 2) return 7;
  leader_ends = number_argument(argc, argv, 1, 0);
  arguments = argv;
  pthread_t other;
  pthread_t third;
  require(pthread_create(&third, NULL, wait_for_ever, NULL) == 0, "pthread_create");
  require(pthread_create(&other, NULL, run, NULL) == 0, "pthread_create");
  if (leader_ends != 0) pthread_exit(NULL);
  pthread_join(other, NULL);
  return 1;
}
