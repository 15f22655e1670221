/* touch_pages THREADS [PAGES [AT_ONCE [WORK]]]: that many threads, AT_ONCE (all) at a time; thread
 * i of 1..THREADS is named "pages-i" and touches i * PAGES fresh pages, each once. With PAGES 0
 * they do WORK iterations, or only come and go. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>

#include "argument.h"
#include "known_work.h"

enum { kPage = 4096 };
static unsigned long pages_each, work;

static void* run(void* argument) {
  const unsigned long number = (unsigned long)argument;
  const unsigned long pages = number * pages_each;
  if (pages == 0) {
    if (work > 0) known_work(work);
    return NULL;
  }
  char name[16];
  snprintf(name, sizeof(name), "pages-%lu", number);
  require(pthread_setname_np(pthread_self(), name) == 0, "pthread_setname_np");
  char* memory =
      mmap(NULL, pages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(memory != MAP_FAILED, "mmap");
  require(madvise(memory, pages * kPage, MADV_NOHUGEPAGE) == 0, "madvise");
  for (unsigned long i = 0; i < pages; ++i) ((volatile char*)memory)[i * kPage] = 1;
  return NULL;
}

int main(int argc, char** argv) {
  const unsigned long count = number_argument(argc, argv, 1, 40);
  pages_each = number_argument(argc, argv, 2, 100);
  const unsigned long at_once = number_argument(argc, argv, 3, count);
  work = number_argument(argc, argv, 4, 0);
  pthread_t* threads = calloc(at_once, sizeof(*threads));
  require(threads != NULL && at_once > 0, "calloc");
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  for (unsigned long made = 0; made < count;) {
    unsigned long here = 0;
    for (; here < at_once && made < count; ++here, ++made)
      require(pthread_create(&threads[here], &small, run, (void*)(made + 1)) == 0,
              "pthread_create");
    while (here > 0) require(pthread_join(threads[--here], NULL) == 0, "pthread_join");
  }
  free(threads);
  return 0;
}
