/* Stacks that grow by megabytes, deep recursion, longjmp over deep frames, stacks of one's own. */
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "transcript.h"

static jmp_buf back;

__attribute__((noinline)) static unsigned long grow(int pieces) {
  unsigned long sum = 0;
  for (int i = 1; i <= pieces; ++i) {
    volatile char* piece = alloca(100000);
    piece[0] = (char)i;
    piece[99999] = (char)i;
    sum += (unsigned long)(unsigned char)piece[0] + (unsigned char)piece[99999];
  }
  return sum;
}

__attribute__((noinline)) static int recurse(int depth) {
  volatile int own = depth;
  if (depth == 0) return 0;
  return recurse(depth - 1) + own % 3;
}

__attribute__((noinline)) static void jump_out(int depth) {
  volatile int own = depth;
  if (depth == 0) longjmp(back, own + 42);
  if (depth < 1 << 30) jump_out(depth - 1);
  own = depth;
}

static void* in_thread(void* argument) {
  (void)argument;
  return (void*)(grow(60) + (unsigned long)recurse(20000));
}

int main(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  say("grown: %lu", grow(70));
  say("recursion: %d", recurse(60000));
  volatile int jumps = 0;
  const int value = setjmp(back);
  if (value == 0 || jumps < 100) {
    ++jumps;
    jump_out(1000);
  }
  say("longjmp: %d times, %d", jumps, value);
  pthread_t thread;
  void* result = NULL;
  pthread_attr_t large;
  pthread_attr_init(&large);
  pthread_attr_setstacksize(&large, 8 << 20);
  pthread_create(&thread, &large, in_thread, NULL);
  pthread_join(thread, &result);
  say("in a thread: %lu", (unsigned long)result);
  /* One huge frame at once: the kernel lets the stack grow to any address within the limit. */
  volatile char* huge = alloca(6 << 20);
  huge[0] = 1;
  say("huge: %d", huge[0]);
  return 0;
}
