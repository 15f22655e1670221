/* What a signal does to calls that wait: restarted with SA_RESTART, or EINTR. */
#define _GNU_SOURCE
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>

#include "transcript.h"

static int ends[2];
static volatile sig_atomic_t handled;
static volatile sig_atomic_t writes;

static void on_alarm(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  ++handled;
  if (writes && write(ends[1], "x", 1) != 1) _exit(92);
  errno = 0;
}

static void in_milliseconds(long milliseconds) {
  const struct itimerval once = {{0, 0}, {0, milliseconds * 1000}};
  must(setitimer(ITIMER_REAL, &once, NULL) == 0, "setitimer");
}

static void say_result(const char* call, long result) {
  say_call(call, result);
  say("handled %d", (int)handled);
  handled = 0;
}

static void run(int flags) {
  char byte;
  handle(SIGALRM, on_alarm, flags);
  writes = 1;
  in_milliseconds(30);
  say_result("read", read(ends[0], &byte, 1));
  struct pollfd wanted = {ends[0], POLLIN, 0};
  struct timespec zero = {0, 0};
  while (ppoll(&wanted, 1, &zero, NULL) == 1 && read(ends[0], &byte, 1) == 1) continue;
  writes = 0;

  in_milliseconds(30);
  say_result("poll", poll(&wanted, 1, 5000));
  in_milliseconds(30);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  struct timeval five = {5, 0};
  say_result("select", select(ends[0] + 1, &set, NULL, NULL, &five));
  const int poller = epoll_create1(0);
  struct epoll_event event;
  in_milliseconds(30);
  say_result("epoll_wait", epoll_wait(poller, &event, 1, 5000));
  close(poller);
  in_milliseconds(30);
  struct timespec rest = {0, 0}, long_time = {5, 0};
  say_result("nanosleep", nanosleep(&long_time, &rest));
  say("of which is left: %d", rest.tv_sec == 4);
  in_milliseconds(30);
  say_result("pause", pause());
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_nsec += 200000000;
  if (deadline.tv_nsec >= 1000000000) deadline.tv_nsec -= 1000000000, ++deadline.tv_sec;
  in_milliseconds(30);
  say_result("sem_timedwait", sem_timedwait(&semaphore, &deadline));

  const pid_t child = fork();
  if (child == 0) {
    const struct timespec a_while = {0, 300000000};
    nanosleep(&a_while, NULL);
    _exit(3);
  }
  in_milliseconds(30);
  int status = 0;
  const pid_t waited = waitpid(child, &status, 0);
  say_result("waitpid", waited == child ? 1 : waited);
  if (waited != child) must(waitpid(child, &status, 0) == child, "waitpid");
  say_status("child", status);
}

int main(void) {
  must(pipe(ends) == 0, "pipe");
  say("with SA_RESTART");
  run(SA_RESTART);
  say("without");
  run(0);
  return 0;
}
