/* regions: names regions by the library and by the system call itself, nested, inside themselves,
 * in threads and in a child, and says what work they do. Static: `region_oracle_test` steps through
 * it.
 *
 * What an engine must count of each region and thread, to the digit:
 * regions_known.S says how the numbers follow from the arguments below.
 *
 * expect: leaf entries=1 instructions=2007 loads=1 stores=1 branches=1001 bops_formula=1004
 *         integer=1000 floating_point=0 address=0
 * expect: outer entries=2 instructions=1126 loads=14 stores=14 branches=532 bops_formula=566
 *         integer=506 floating_point=0 address=0
 * expect: inner entries=6 instructions=642 loads=6 stores=6 branches=306 bops_formula=324
 *         integer=300 floating_point=0 address=0
 * expect: recursive entries=10 instructions=168 loads=18 stores=18 branches=47 bops_formula=85
 *         integer=10 floating_point=0 address=9
 * expect: batch entries=2 instructions=14 loads=0 stores=0 branches=4 bops_formula=10
 *         integer=0 floating_point=0 address=0 work.images=6
 * expect: decode entries=1 instructions=7 loads=0 stores=0 branches=2 bops_formula=5
 *         integer=0 floating_point=0 address=0 work.tokens=64
 * expect: threaded entries=1 instructions=27 loads=1 stores=1 branches=11 bops_formula=14
 *         integer=10 floating_point=0 address=0
 * expect: threaded entries=1 instructions=47 loads=1 stores=1 branches=21 bops_formula=24
 *         integer=20 floating_point=0 address=0
 * expect: thread_batch entries=1 instructions=7 loads=0 stores=0 branches=2 bops_formula=5
 *         integer=0 floating_point=0 address=0 work.images=10
 * expect: thread_batch entries=1 instructions=7 loads=0 stores=0 branches=2 bops_formula=5
 *         integer=0 floating_point=0 address=0 work.images=20
 * expect: forked entries=1 instructions=67 loads=1 stores=1 branches=31 bops_formula=34
 *         integer=30 floating_point=0 address=0
 *
 * What each thread says that it did, none left out:
 * thread: work.files=7 work.images=6 work.requests=1 work.tokens=64
 * thread: work.images=10
 * thread: work.images=20
 */
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argument.h"
#include "bops/region.h"
#include "known_work.h"

/* regions_known.S */
void leaf_region(const char* name, uint64_t n);
void outer_region(const char* name, uint64_t n, const char* inner, uint64_t m, uint64_t times);
void recursive_region(const char* name, uint64_t depth);
void work_region(const char* name, const char* unit, uint64_t amount);

/* 2 n instructions, and those of the calls: the same for every n. */
static __attribute__((noinline)) void library_region(const char* name, uint64_t n) {
  bops_region_begin(name);
  known_work(n);
  bops_region_end();
}

static void* in_thread(void* argument) {
  const uint64_t number = (uint64_t)argument;
  leaf_region("threaded", 10 * number);
  work_region("thread_batch", "images", 10 * number);
  return NULL;
}

static void nested_work(void) {
  bops_region_begin("request");
  work_region("decode", "tokens", 64);
  bops_work("requests", 1);
  bops_region_end();
}

static void run_threads(void) {
  pthread_t threads[2];
  for (uint64_t i = 0; i < 2; ++i)
    require(pthread_create(&threads[i], NULL, in_thread, (void*)(i + 1)) == 0, "pthread_create");
  for (uint64_t i = 0; i < 2; ++i) require(pthread_join(threads[i], NULL) == 0, "pthread_join");
}

static void run_child(void) {
  const pid_t child = fork();
  require(child >= 0, "fork");
  if (child == 0) {
    leaf_region("forked", 30);
    _exit(9);
  }
  int status = 0;
  require(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 9, "the child");
}

int main(void) {
  bops_region_end(); /* of none */
  leaf_region("leaf", 1000);
  for (int i = 0; i < 2; ++i) outer_region("outer", 100, "inner", 50, 3);
  recursive_region("recursive", 9);
  for (int i = 0; i < 2; ++i) work_region("batch", "images", 3);
  bops_work("files", 7);
  nested_work();
  run_threads();
  run_child();
  library_region("library_short", 1);
  library_region("library_long", 1001);
  char name[301]; /* more than is kept of one */
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  leaf_region(name, 1);
  bops_region_begin("unended");
  puts("done");
  return 0;
}
