/* Code in a page that stays writable and executable, changed in place, by itself and by others. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>

#include "transcript.h"

typedef int (*function)(void);

static void put(volatile char* at, int value) {
  at[0] = (char)0xb8;
  for (int i = 0; i < 4; ++i) at[1 + i] = (char)(value >> (8 * i));
  at[5] = (char)0xc3;
}

static volatile char* code;

static void* change_and_call(void* argument) {
  long sum = 0;
  volatile char* own = code + 1024 + 64 * (long)argument;
  for (int i = 0; i < 500; ++i) {
    put(own, i);
    sum += ((function)own)();
  }
  return (void*)sum;
}

int main(void) {
  code = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(code != MAP_FAILED, "mmap");
  long sum = 0;
  for (int i = 0; i < 1000; ++i) {
    put(code, i);
    sum += ((function)code)();
  }
  say("in place: %ld", sum);

  /* movl $77, 7(%rip): the value of the next instruction; mov $0, %eax; ret */
  static const char changes_itself[] = {(char)0xc7, 0x05, 1,          0, 0, 0, 77, 0,
                                        0,          0,    (char)0xb8, 0, 0, 0, 0,  (char)0xc3};
  for (unsigned i = 0; i < sizeof(changes_itself); ++i) code[512 + i] = changes_itself[i];
  say("changes itself: %d", ((function)(code + 512))());

  pthread_t threads[4];
  for (long i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, change_and_call, (void*)i);
  sum = 0;
  for (int i = 0; i < 4; ++i) {
    void* result = NULL;
    pthread_join(threads[i], &result);
    sum += (long)result;
  }
  say("by four threads in one page: %ld", sum);
  return 0;
}
