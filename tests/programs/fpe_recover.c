/* fpe_recover [K]: K times, divides by zero, gets SIGFPE and jumps out of its handler. */
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "argument.h"

static sigjmp_buf back;
static volatile sig_atomic_t caught;

static void on_fault(int number) {
  (void)number;
  ++caught;
  siglongjmp(back, 1);
}

/* In assembly where that is possible: to a compiler, a division by zero may do anything. */
static void divide_by_zero(void) {
#if defined(__x86_64__)
  unsigned quotient = 1;
  unsigned remainder = 0;
  __asm__ volatile("div %2" : "+a"(quotient), "+d"(remainder) : "r"(0U) : "cc");
#else
  raise(SIGFPE);
#endif
}

/* A function of its own, so that nothing lives in registers across the jump. */
__attribute__((noinline)) static void recover(unsigned long times) {
  for (volatile unsigned long i = 0; i < times; ++i)
    if (sigsetjmp(back, 1) == 0) divide_by_zero();
}

int main(int argc, char** argv) {
  const unsigned long times = number_argument(argc, argv, 1, 10);
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_fault;
  require(sigaction(SIGFPE, &action, NULL) == 0, "sigaction");
  recover(times);
  require((unsigned long)caught == times, "as many faults as divisions");
  return 0;
}
