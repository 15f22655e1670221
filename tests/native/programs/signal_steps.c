/* Signals between a jump to where no code is and the fault that comes of it: an engine may make a
 * single step there, but no handler may see its trap flag, and no trap may come of it. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "transcript.h"

enum { kTrapFlag = 0x100, kEnough = 15000 };

static volatile int seen, with_trap_flag, traps, faults;

static void look(int number, siginfo_t* info, void* context) {
  (void)number, (void)info;
  ++seen;
  if (((ucontext_t*)context)->uc_mcontext.gregs[REG_EFL] & kTrapFlag) ++with_trap_flag;
}

static void trapped(int number, siginfo_t* info, void* context) {
  (void)number, (void)info;
  ++traps;
  ((ucontext_t*)context)->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)kTrapFlag;
}

/* Returns from the call that went nowhere. */
static void come_back(int number, siginfo_t* info, void* context) {
  greg_t* const registers = ((ucontext_t*)context)->uc_mcontext.gregs;
  (void)number;
  ++faults;
  if (registers[REG_EFL] & kTrapFlag) ++with_trap_flag;
  if ((greg_t)info->si_addr != registers[REG_RIP]) _exit(92);
  registers[REG_RIP] = *(greg_t*)registers[REG_RSP];
  registers[REG_RSP] += (greg_t)sizeof(greg_t);
}

/* A signal to this thread every 100 us that it runs, whatever else the machine does. */
static timer_t start_signals(void) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
  event._sigev_un._tid = gettid();
  timer_t timer;
  must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
  const struct timespec period = {0, 100000};
  const struct itimerspec times = {period, period};
  must(timer_settime(timer, 0, &times, NULL) == 0, "timer_settime");
  return timer;
}

int main(void) {
  handle(SIGUSR1, look, 0);
  handle(SIGTRAP, trapped, 0);
  handle(SIGSEGV, come_back, 0);

  void* const data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(data != MAP_FAILED, "mmap");
  void (*volatile nowhere)(void) = (void (*)(void))data;
  const timer_t signals = start_signals();
  int calls = 0;
  while (seen < kEnough || calls < kEnough) {
    nowhere();
    ++calls;
  }
  say("jumps to where no code is: %s", faults == calls ? "each faulted once" : "not each faulted");

  must(timer_delete(signals) == 0, "timer_delete");
  say("trap flags seen: %d, traps: %d", with_trap_flag, traps);
  return 0;
}
