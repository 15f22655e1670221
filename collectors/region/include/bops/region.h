/* Names parts of a program, so that `bops run` counts what each of them executes.
 *
 *   bops_region_begin("decode");
 *   ...
 *   bops_work("tokens", 128);
 *   bops_region_end();
 *
 * gives, for each thread, the instructions and operations executed between begin and end, and how
 * many of them one token took. Where no engine of bops runs the program, the calls do nothing.
 *
 * Threads: a region belongs to the thread that begins it, which must end it. All functions may be
 * called from any thread at any time, without locks, and from signal handlers: what a handler
 * executes counts for the region that it interrupts, regions that it begins it must end.
 *
 * Nesting: regions nest as calls do; a region may be begun inside itself. What is nested counts for
 * all regions around it too, inside itself a region counts once. An end without a begin does
 * nothing. A region still open at the end of its thread ends there.
 *
 * Processes: fork keeps the regions of the thread that calls it open in the child, exec ends them.
 *
 * Cost: not under bops, a test and a return, below 5 ns; the first call of a process makes harmless
 * system calls (gettid, and reading /proc/thread-self/status). Under an exact engine, one system
 * call that the engine answers itself; with hardware counters, a few microseconds: not meant for
 * loops of a few instructions. The instructions of the calls themselves count like all others.
 *
 * Errors: none. No function fails, prints, allocates, or changes errno. */
#ifndef BOPS_REGION_H
#define BOPS_REGION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Begins a region. `name`: NUL-terminated, any bytes; of more than 255 the rest is cut off. It is
 * copied: it need not outlive the call. A null pointer is an empty name. */
void bops_region_begin(const char* name);

/* Ends the innermost open region of this thread. */
void bops_region_end(void);

/* Says that `amount` units of work were done since the last such call: "tokens", "requests",
 * "images". It counts for the innermost open region of this thread, for all around it, and for the
 * thread. So it is said once, where the work is done. `unit` as `name` above; a null pointer does
 * nothing. */
void bops_work(const char* unit, uint64_t amount);

#ifdef __cplusplus
}

namespace bops {

/* A region as long as its scope, ended by exceptions, too. */
class Region {
 public:
  explicit Region(const char* name) { bops_region_begin(name); }
  ~Region() { bops_region_end(); }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
};

}  // namespace bops
#endif

#endif
