/* Where things lie relative to GS, for the assembler and C++ alike.
 *
 * GS points into an area: one for each thread (and for each region that the thread is in).
 *
 *   GS - 64 MiB   counter windows: 64 KiB of the block profile each, mapped shared
 *   GS - 64 KiB   the slots below
 *   GS            the target table: one u32 for each byte of a GiB of guest addresses, 4 GiB,
 *                 shared by all areas of a process
 *
 * Emitted code reaches all of it with a 32-bit displacement. */
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_LAYOUT_H
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_LAYOUT_H

#define GS_COUNTERS (-0x4000000)
#define GS_SLOTS (-0x10000)
#define GS_TABLE 0

#define GS_SELF (GS_SLOTS + 0x00)         /* the Area itself */
#define GS_ENTER (GS_SLOTS + 0x08)        /* engine_enter */
#define GS_SAVED_RCX (GS_SLOTS + 0x10)    /* RCX before an indirect transfer, or a call's number */
#define GS_TARGET (GS_SLOTS + 0x18)       /* guest address that an indirect transfer goes to */
#define GS_CACHE_TARGET (GS_SLOTS + 0x20) /* cache address that it goes to */
#define GS_SPILL (GS_SLOTS + 0x28)        /* a register that a counter borrows */
#define GS_FAR_SPILL (GS_SLOTS + 0x30)    /* a register that a far address borrows */
#define GS_EXIT (GS_SLOTS + 0x38)         /* u32: the exit through which the cache was left */
#define GS_UNMASK (GS_SLOTS + 0x3c)       /* u32: GS_MASK is to be set before resuming */
#define GS_STACK (GS_SLOTS + 0x40)        /* top of the engine's stack for this thread */
#define GS_RESUME (GS_SLOTS + 0x48)       /* cache address to resume at */
#define GS_MASK (GS_SLOTS + 0x50)         /* the kernel's signal mask while guest code runs */
#define GS_ATTENTION (GS_SLOTS + 0x58)    /* u32: something is to be done before resuming */
#define GS_REGISTERS (GS_SLOTS + 0x80)    /* 16 GPRs in encoding order, then RFLAGS */
#define GS_FLAGS (GS_REGISTERS + 128)

#endif
