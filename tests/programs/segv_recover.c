/* segv_recover [K]: K times, gets SIGSEGV and jumps out of its handler. */
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

/* A function of its own, so that nothing lives in registers across the jump. */
__attribute__((noinline)) static void recover(unsigned long times) {
  for (volatile unsigned long i = 0; i < times; ++i) {
    volatile int* volatile nowhere = NULL;
    if (sigsetjmp(back, 1) == 0) *nowhere = 1;
  }
}

int main(int argc, char** argv) {
  const unsigned long times = number_argument(argc, argv, 1, 10);
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_fault;
  require(sigaction(SIGSEGV, &action, NULL) == 0, "sigaction");
  recover(times);
  require((unsigned long)caught == times, "as many faults as stores");
  return 0;
}
