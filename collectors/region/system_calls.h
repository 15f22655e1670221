/* System calls without a C library. Room-internal; x86-64. */
#ifndef BOPS_COLLECTORS_REGION_SYSTEM_CALLS_H
#define BOPS_COLLECTORS_REGION_SYSTEM_CALLS_H

#include <stddef.h>
#include <sys/syscall.h>

/* The result, or an errno as a negative number. */
static inline long call6(long number, long a, long b, long c, long d, long e, long f) {
  long result = number;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static inline long call4(long number, long a, long b, long c, long d) {
  return call6(number, a, b, c, d, 0, 0);
}

static inline long call3(long number, long a, long b, long c) {
  return call6(number, a, b, c, 0, 0, 0);
}

#endif
