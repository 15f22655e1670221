/* A loop whose executed instructions are known, whatever the compiler: 2 * n of them. */
#ifndef BOPS_TESTS_PROGRAMS_KNOWN_WORK_H
#define BOPS_TESTS_PROGRAMS_KNOWN_WORK_H

#include <stdint.h>

/* n > 0 */
static inline void known_work(uint64_t n) {
#if defined(__x86_64__)
  __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(n) : : "cc");
#elif defined(__aarch64__)
  __asm__ volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(n) : : "cc");
#else
#error "no loop known for this architecture"
#endif
}

#endif
