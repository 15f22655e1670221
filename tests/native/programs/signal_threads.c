/* Signals to one thread among several, signals to whoever does not block them, cancellation. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include "transcript.h"

static __thread int number_of_this;
static pthread_barrier_t ready;
static volatile int handled_by[5], stop;

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  ++handled_by[number_of_this];
}

static void* spin(void* argument) {
  number_of_this = (int)(long)argument;
  pthread_barrier_wait(&ready);
  while (!stop) continue;
  return NULL;
}

static void await(volatile int* counter, int value) {
  const struct timespec moment = {0, 100000};
  while (*counter < value) nanosleep(&moment, NULL);
}

static void directed(void) {
  pthread_t threads[4];
  pthread_barrier_init(&ready, NULL, 5);
  for (long i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, spin, (void*)(i + 1));
  pthread_barrier_wait(&ready);
  for (int round = 1; round <= 50; ++round)
    for (int i = 0; i < 4; ++i) {
      must(pthread_kill(threads[i], SIGUSR1) == 0, "pthread_kill");
      await(&handled_by[i + 1], round);
    }
  stop = 1;
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  say("handled by main %d, by the others %d %d %d %d", handled_by[0], handled_by[1], handled_by[2],
      handled_by[3], handled_by[4]);
}

static void* only_one_open(void* argument) {
  number_of_this = 1;
  const sigset_t set = set_of(SIGUSR1, 0);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  pthread_barrier_wait(&ready);
  await(&handled_by[1], *(int*)argument + 100);
  return NULL;
}

static void to_the_process(void) {
  const sigset_t set = set_of(SIGUSR1, 0);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  pthread_t thread;
  int before = handled_by[1];
  pthread_barrier_init(&ready, NULL, 2);
  pthread_create(&thread, NULL, only_one_open, &before);
  pthread_barrier_wait(&ready);
  for (int i = 1; i <= 100; ++i) {
    kill(getpid(), SIGUSR1);
    await(&handled_by[1], before + i);
  }
  pthread_join(thread, NULL);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  say("all by the one that does not block: %d, main %d", handled_by[1] - before, handled_by[0]);
}

static volatile int cleaned, async_ready;

static void clean(void* argument) {
  cleaned += (int)(long)argument;
}

static void* reads_for_ever(void* argument) {
  char byte;
  pthread_cleanup_push(clean, (void*)1);
  async_ready = 1;
  if (read(*(int*)argument, &byte, 1) < 0) say("read failed");
  pthread_cleanup_pop(0);
  return NULL;
}

static void* computes_for_ever(void* argument) {
  (void)argument;
  int old = 0;
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
  pthread_cleanup_push(clean, (void*)10);
  async_ready = 1;
  for (;;) __asm__ volatile("" : : : "memory");
  pthread_cleanup_pop(0);
  return NULL;
}

static void* refuses(void* argument) {
  int old = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
  async_ready = 1;
  await(argument, 1);
  return (void*)7;
}

static void cancellations(void) {
  int ends[2];
  must(pipe(ends) == 0, "pipe");
  volatile int released = 0;
  pthread_t thread;
  void* result = NULL;
  for (int i = 0; i < 20; ++i) {
    async_ready = 0;
    pthread_create(&thread, NULL, reads_for_ever, &ends[0]);
    await(&async_ready, 1);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    must(result == PTHREAD_CANCELED, "cancelled in read");
    async_ready = 0;
    pthread_create(&thread, NULL, computes_for_ever, NULL);
    await(&async_ready, 1);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    must(result == PTHREAD_CANCELED, "cancelled in a loop");
  }
  async_ready = 0;
  pthread_create(&thread, NULL, refuses, (void*)&released);
  await(&async_ready, 1);
  pthread_cancel(thread);
  released = 1;
  pthread_join(thread, &result);
  say("cleanups %d, refused with %ld", cleaned, (long)result);
}

int main(void) {
  handle(SIGUSR1, on_signal, SA_RESTART);
  directed();
  to_the_process();
  cancellations();
  return 0;
}
