/* locked_lines [N]: two threads, each incrementing a word of its own across two cache lines N times
 * with a locked instruction; three instructions an iteration. */
#include <pthread.h>
#include <stdint.h>

#include "argument.h"

static _Alignas(128) unsigned char lines[2][256];
static uint64_t times;

static void* run(void* place) {
  uint64_t left = times;
  __asm__ volatile("1:\tlock incq (%1)\n\tdec %0\n\tjnz 1b" /* the lines are 64 bytes long */
                   : "+r"(left)
                   : "r"((unsigned char*)place + 60)
                   : "memory", "cc");
  return NULL;
}

int main(int argc, char** argv) {
  times = number_argument(argc, argv, 1, 1000);
  require(times > 0, "N is not 0");
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i)
    require(pthread_create(&threads[i], NULL, run, lines[i]) == 0, "pthread_create");
  for (int i = 0; i < 2; ++i) require(pthread_join(threads[i], NULL) == 0, "pthread_join");
  for (int i = 0; i < 2; ++i) {
    uint64_t counted;
    __builtin_memcpy(&counted, lines[i] + 60, sizeof counted);
    require(counted == times, "every increment is there");
  }
  return 0;
}
