/* Producers and consumers on a mutex and two conditions; a reader-writer lock; once; keys. */
#include <pthread.h>

#include "transcript.h"

enum { kRoom = 8, kEach = 5000, kPeople = 4 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int queue[kRoom], in_queue, onces, destroyed;
static long taken;

static void destroy(void* value) {
  __atomic_fetch_add(&destroyed, (int)(long)value, __ATOMIC_RELAXED);
}
static void only_once(void) {
  ++onces;
  pthread_key_create(&key, destroy);
}

static void* produce(void* argument) {
  pthread_once(&once, only_once);
  pthread_setspecific(key, (void*)1);
  for (int i = 1; i <= kEach; ++i) {
    pthread_mutex_lock(&mutex);
    while (in_queue == kRoom) pthread_cond_wait(&emptied, &mutex);
    queue[in_queue++] = i;
    pthread_cond_signal(&filled);
    pthread_mutex_unlock(&mutex);
  }
  return argument;
}

static void* consume(void* argument) {
  pthread_once(&once, only_once);
  pthread_setspecific(key, (void*)100);
  for (int i = 0; i < kEach; ++i) {
    pthread_mutex_lock(&mutex);
    while (in_queue == 0) pthread_cond_wait(&filled, &mutex);
    const int value = queue[--in_queue];
    pthread_cond_signal(&emptied);
    pthread_mutex_unlock(&mutex);
    pthread_rwlock_wrlock(&lock);
    taken += value;
    pthread_rwlock_unlock(&lock);
    pthread_rwlock_rdlock(&lock);
    must(taken > 0, "taken");
    pthread_rwlock_unlock(&lock);
  }
  return argument;
}

static unsigned long spin_lock, spun;

static void* spin(void* argument) {
  for (int i = 0; i < 20000; ++i) {
    while (__atomic_exchange_n(&spin_lock, 1, __ATOMIC_ACQUIRE) != 0) __builtin_ia32_pause();
    ++spun;
    __atomic_store_n(&spin_lock, 0, __ATOMIC_RELEASE);
  }
  return argument;
}

int main(void) {
  pthread_t threads[2 * kPeople];
  for (int i = 0; i < kPeople; ++i) {
    pthread_create(&threads[2 * i], NULL, produce, NULL);
    pthread_create(&threads[2 * i + 1], NULL, consume, NULL);
  }
  for (int i = 0; i < 2 * kPeople; ++i) pthread_join(threads[i], NULL);
  say("taken %ld, once %d, destroyed %d", taken, onces, destroyed);
  for (int i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, spin, NULL);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
  say("spun %lu", spun);
  return 0;
}
