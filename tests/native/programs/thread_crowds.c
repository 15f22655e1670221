/* Threads in numbers: 2000 at once with their own locals, 10 000 short ones, 1000 detached. */
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "transcript.h"

enum { kAtOnce = 2000, kShort = 10000, kDetached = 1000 };

static __thread unsigned long own = 5;
static __thread char large[4096];
static pthread_barrier_t all;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned long sum;
static sem_t ended;

static void add(unsigned long value) {
  pthread_mutex_lock(&mutex);
  sum += value;
  pthread_mutex_unlock(&mutex);
}

static void* among_many(void* argument) {
  own += (unsigned long)argument;
  large[(unsigned long)argument % sizeof(large)] = 1;
  pthread_barrier_wait(&all);
  unsigned long ones = 0;
  for (unsigned i = 0; i < sizeof(large); ++i) ones += (unsigned long)large[i];
  add(own * ones);
  return argument;
}

static void* briefly(void* argument) {
  own += (unsigned long)argument;
  add(own);
  return argument;
}

static void* alone(void* argument) {
  (void)briefly(argument);
  sem_post(&ended);
  return NULL;
}

int main(void) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  static pthread_t threads[kAtOnce];
  pthread_barrier_init(&all, NULL, kAtOnce);
  for (unsigned long i = 0; i < kAtOnce; ++i)
    must(pthread_create(&threads[i], &small, among_many, (void*)i) == 0, "pthread_create");
  unsigned long results = 0;
  for (unsigned long i = 0; i < kAtOnce; ++i) {
    void* result = NULL;
    pthread_join(threads[i], &result);
    results += (unsigned long)result;
  }
  say("%d at once: results %lu, locals %lu", kAtOnce, results, sum);

  sum = results = 0;
  for (unsigned long i = 0; i < kShort; ++i) {
    void* result = NULL;
    must(pthread_create(&threads[0], &small, briefly, (void*)i) == 0, "pthread_create");
    pthread_join(threads[0], &result);
    results += (unsigned long)result;
  }
  say("%d short: results %lu, locals %lu", kShort, results, sum);

  sum = 0;
  sem_init(&ended, 0, 0);
  pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
  const struct timespec moment = {0, 1000000};
  for (unsigned long i = 0; i < kDetached; ++i)
    while (pthread_create(&threads[0], &small, alone, (void*)i) != 0) nanosleep(&moment, NULL);
  for (unsigned long i = 0; i < kDetached; ++i) sem_wait(&ended);
  say("%d detached: locals %lu, main's own %lu", kDetached, sum, own);
  return 0;
}
