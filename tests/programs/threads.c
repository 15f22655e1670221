/* threads N [WORK [SHARED]]: N threads at once, thread i of 1..N named "worker-i" doing i * WORK
 * iterations. With SHARED not 0 the process first maps shared memory, and runs their loop itself.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "argument.h"
#include "known_work.h"

static uint64_t work = 1000;
static atomic_ulong done;
static pthread_barrier_t all_there;

/* One piece of code for all, so that what was translated for one thread is there for the others. */
static __attribute__((noinline)) void run_loop(uint64_t iterations) {
  known_work(iterations);
}

static void* run(void* argument) {
  const unsigned long number = (unsigned long)argument;
  char name[16];
  snprintf(name, sizeof(name), "worker-%lu", number);
  require(pthread_setname_np(pthread_self(), name) == 0, "pthread_setname_np");
  run_loop(number * work);
  atomic_fetch_add(&done, number);
  pthread_barrier_wait(&all_there); /* so that all exist at once */
  return NULL;
}

int main(int argc, char** argv) {
  const unsigned long count = number_argument(argc, argv, 1, 4);
  work = number_argument(argc, argv, 2, work);
  if (count == 0) return 0;
  if (number_argument(argc, argv, 3, 0) != 0) {
    require(
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED,
        "mmap");
    run_loop(work);
  }
  pthread_t* threads = calloc(count, sizeof(*threads));
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  pthread_barrier_init(&all_there, NULL, (unsigned)count);
  for (unsigned long i = 0; i < count; ++i)
    require(pthread_create(&threads[i], &small, run, (void*)(i + 1)) == 0, "pthread_create");
  for (unsigned long i = 0; i < count; ++i)
    require(pthread_join(threads[i], NULL) == 0, "pthread_join");
  free(threads);
  require(atomic_load(&done) == count * (count + 1) / 2, "every thread has worked");
  return 0;
}
