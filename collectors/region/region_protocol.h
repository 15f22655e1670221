/* How a target tells an exact engine about its regions: raw system calls that the kernel takes for
 * gettid and that change nothing where no engine runs.
 *
 *   rax = 186 (gettid), rdi = BOPS_REGION_MAGIC, rsi = operation, rdx and r10 as below
 *
 * gettid has no parameters, so that the kernel ignores the registers and returns a thread id. An
 * engine sees the magic number, executes no system call, and returns what stands beside the
 * operation. Every register but rax, rcx and r11 keeps its value, as in any system call. A raw call
 * rather than a symbol to replace: it works in static programs, through dlopen, and in programs
 * that have more than one copy of the library.
 *
 * The instruction that begins a region belongs to what is around the region, the one that ends it
 * to the region. What runs in between counts: all instructions of the thread, in signal handlers,
 * too.
 *
 * fork leaves the child in the regions of the thread that forked; a new thread is in none, and exec
 * ends them all.
 *
 * The engine trusts nothing here: a pointer that it cannot read, an unknown operation or an end
 * without a begin are ignored. */
#ifndef BOPS_COLLECTORS_REGION_REGION_PROTOCOL_H
#define BOPS_COLLECTORS_REGION_REGION_PROTOCOL_H

#define BOPS_REGION_SYSTEM_CALL 186             /* __NR_gettid of x86-64 */
#define BOPS_REGION_MAGIC 0x6765722d73706f62ULL /* "bops-reg", little-endian */
/* A section of the library, and of programs that it is a part of. */
#define BOPS_REGION_NOTE_SECTION ".note.bops_region"
#define BOPS_REGION_PRESENT 0x626f7073 /* above any thread id: PID_MAX_LIMIT is 2^22 */

enum bops_region_operation {
  BOPS_REGION_PROBE = 0, /* returns BOPS_REGION_PRESENT */
  BOPS_REGION_BEGIN = 1, /* rdx: name; returns 0 */
  BOPS_REGION_END = 2,   /* returns 0 */
  BOPS_REGION_WORK = 3   /* rdx: name of the unit, r10: amount; returns 0 */
};

enum {
  /* Names are NUL-terminated; more than so many bytes of one are cut off. */
  BOPS_REGION_MAX_NAME_SIZE = 255
};

#endif
