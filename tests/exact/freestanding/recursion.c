#include "start.h"

static __attribute__((noinline)) long ackermann(long m, long n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

static __attribute__((noinline)) long choose(long which, long value) {
  switch (which % 7) { /* a jump table */
    case 0: return value + 1;
    case 1: return value * 3;
    case 2: return value ^ 0x55;
    case 3: return value - 9;
    case 4: return value << 1;
    case 5: return value >> 1;
    default: return ~value;
  }
}

static long work(void) {
  long value = ackermann(2, 8);
  for (long i = 0; i < 500; i++) value = choose(i, value);
  return value;
}
