/* stop_self [THREADS]: says "stopping", stops itself, says "continued" and exits with 5. With
 * THREADS, in the last of them, after the first thread of the process has ended. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "argument.h"

static void say(const char* word, size_t length) {
  require(write(1, word, length) == (ssize_t)length, "write");
}

static int stop_and_exit(void) {
  say("stopping\n", 9);
  raise(SIGSTOP);
  say("continued\n", 10);
  return 5;
}

static int first_thread_has_ended(void) {
  char stat[512] = {0};
  const int fd = open("/proc/self/stat", O_RDONLY);
  require(fd >= 0 && read(fd, stat, sizeof(stat) - 1) > 0, "/proc/self/stat");
  close(fd);
  return strstr(stat, ") Z ") != NULL;
}

static void* worker(void* is_last) {
  while (is_last == NULL || !first_thread_has_ended()) usleep(1000);
  exit(stop_and_exit());
}

int main(int argc, char** argv) {
  const unsigned long threads = number_argument(argc, argv, 1, 0);
  if (threads == 0) return stop_and_exit();
  for (unsigned long i = 1; i <= threads; ++i) {
    pthread_t thread;
    require(pthread_create(&thread, NULL, worker, i == threads ? argv : NULL) == 0, "thread");
  }
  pthread_exit(NULL);
}
