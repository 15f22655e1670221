/* The region library: runs inside the target, needs no other library, keeps one word of state. */
#include "bops/region.h"

#include <stddef.h>

#include "collectors/region/region_protocol.h"

enum { UNKNOWN, ABSENT, PRESENT };

/* Whether an engine runs this process. Threads that find it unknown at once find the same answer.
 * fork keeps it, and the engine; exec starts a program with a state of its own. */
static int engine = UNKNOWN;

#ifdef __x86_64__

static long tell_engine(long operation, const char* text, uint64_t value) {
  long result = BOPS_REGION_SYSTEM_CALL;
  register uint64_t r10 __asm__("r10") = value;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(BOPS_REGION_MAGIC), "S"(operation), "d"(text), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}

#else /* no engine counts other machines */

static long tell_engine(long operation, const char* text, uint64_t value) {
  (void)operation, (void)text, (void)value;
  return 0;
}

#endif

static int known_engine(void) {
  return __atomic_load_n(&engine, __ATOMIC_RELAXED);
}

/* Apart from the callers, whose usual path then is a comparison and a return. */
static __attribute__((noinline)) void tell(long operation, const char* text, uint64_t value) {
  int known = known_engine();
  if (known == UNKNOWN) {
    known = tell_engine(BOPS_REGION_PROBE, NULL, 0) == BOPS_REGION_PRESENT ? PRESENT : ABSENT;
    __atomic_store_n(&engine, known, __ATOMIC_RELAXED);
  }
  if (known == PRESENT) tell_engine(operation, text, value);
}

void bops_region_begin(const char* name) {
  if (known_engine() != ABSENT) tell(BOPS_REGION_BEGIN, name != NULL ? name : "", 0);
}

void bops_region_end(void) {
  if (known_engine() != ABSENT) tell(BOPS_REGION_END, NULL, 0);
}

void bops_work(const char* unit, uint64_t amount) {
  if (known_engine() != ABSENT && unit != NULL) tell(BOPS_REGION_WORK, unit, amount);
}
