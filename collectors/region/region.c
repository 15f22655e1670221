/* The region library: runs inside the target, needs no other library. */
#include "bops/region.h"

#include <stddef.h>

#include "collectors/region/region_counters.h"
#include "collectors/region/region_protocol.h"

/* An ELF note that says nothing but that the library is here (elf(5)). */
__asm__(".pushsection " BOPS_REGION_NOTE_SECTION
        ", \"a\", %note\n"
        ".balign 4\n"
        ".long 5, 0, 1\n"
        ".asciz \"bops\"\n"
        ".balign 4\n"
        ".popsection");

enum { UNKNOWN, ABSENT, PRESENT, COUNTERS };

/* Who listens: nobody, an engine that runs this process, or a bops that counts its threads by the
 * hardware. Threads that find it unknown at once find the same answer. fork keeps it; exec starts a
 * program with a state of its own. */
static int listener = UNKNOWN;

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

static int known_listener(void) {
  return __atomic_load_n(&listener, __ATOMIC_RELAXED);
}

static int ask_who_listens(void) {
  if (tell_engine(BOPS_REGION_PROBE, NULL, 0) == BOPS_REGION_PRESENT) return PRESENT;
  return bops_region_counters_are_there() ? COUNTERS : ABSENT;
}

/* Apart from the callers, whose usual path then is a comparison and a return. */
static __attribute__((noinline)) void tell(long operation, const char* text, uint64_t value) {
  int known = known_listener();
  if (known == UNKNOWN) {
    known = ask_who_listens();
    __atomic_store_n(&listener, known, __ATOMIC_RELAXED);
  }
  if (known == PRESENT) tell_engine(operation, text, value);
  if (known == COUNTERS && !bops_region_counters_tell(operation, text, value))
    __atomic_store_n(&listener, ABSENT, __ATOMIC_RELAXED);
}

void bops_region_begin(const char* name) {
  if (known_listener() != ABSENT) tell(BOPS_REGION_BEGIN, name != NULL ? name : "", 0);
}

void bops_region_end(void) {
  if (known_listener() != ABSENT) tell(BOPS_REGION_END, NULL, 0);
}

void bops_work(const char* unit, uint64_t amount) {
  if (known_listener() != ABSENT && unit != NULL) tell(BOPS_REGION_WORK, unit, amount);
}
