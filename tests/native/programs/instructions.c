/* Instructions with state that a translator could disturb: flags, the red zone, strings, the x87
 * and vector units, wide exchanges, everything relative to rip. */
#include <cpuid.h>

#include "transcript.h"

static unsigned long flags_now(void) {
  unsigned long flags = 0;
  __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\tpop %0\n\tlea 128(%%rsp), %%rsp"
                   : "=r"(flags));
  return flags;
}

/* Data in the red zone, across jumps, calls' absence and blocks that end in flags. */
static void red_zone(void) {
  unsigned long sum = 0;
  for (unsigned long i = 0; i < 20000; ++i) {
    unsigned long out = 0;
    __asm__ volatile(
        "mov %1, -8(%%rsp)\n\tmov %1, -16(%%rsp)\n\tmov %1, -128(%%rsp)\n\t"
        "lea 1f(%%rip), %%rax\n\tcmp $5, %1\n\tjmp *%%rax\n\tud2\n"
        "1: jb 2f\n\tadd -8(%%rsp), %0\n\tjmp 3f\n"
        "2: add -16(%%rsp), %0\n"
        "3: lea 4f(%%rip), %%rax\n\tmov %%rax, -24(%%rsp)\n\tjmp *-24(%%rsp)\n\tud2\n"
        "4: add -128(%%rsp), %0\n\tadd -8(%%rsp), %0\n\tadd -16(%%rsp), %0"
        : "+&r"(out)
        : "r"(i)
        : "rax", "memory", "cc");
    sum += out;
    /* push; ret: the pushed slot is above the data that lies below the pointer. */
    __asm__ volatile(
        "lea -64(%%rsp), %%rsp\n\tmov %1, -16(%%rsp)\n\tmov %1, -24(%%rsp)\n\t"
        "lea 1f(%%rip), %%rax\n\tpush %%rax\n\tret\n\tud2\n"
        "1: add -16(%%rsp), %0\n\tadd -24(%%rsp), %0\n\tlea 64(%%rsp), %%rsp"
        : "+&r"(sum)
        : "r"(i)
        : "rax", "memory", "cc");
  }
  say("red zone: %lu", sum);
}

static void strings(void) {
  static char a[5000], b[5000];
  unsigned long sum = 0, at = 0;
  for (unsigned long size = 0; size < 300; size += 7) {
    char* to = a;
    unsigned long left = size;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(left) : "a"((int)size) : "memory");
    sum += (unsigned long)(to - a) + left;
    char *from = a, *into = b;
    left = size;
    __asm__ volatile("rep movsb" : "+D"(into), "+S"(from), "+c"(left) : : "memory");
    sum += (unsigned long)(from - a) + (unsigned long)(unsigned char)b[size / 2];
    b[size] = 1, a[size] = 2;
    from = a, into = b, left = 5000;
    __asm__ volatile("repe cmpsb" : "+D"(into), "+S"(from), "+c"(left) : : "memory", "cc");
    sum += left;
    to = a, left = 5000;
    __asm__ volatile("repne scasb" : "+D"(to), "+c"(left) : "a"(2) : "memory", "cc");
    sum += left;
  }
  const char* backwards = "reversed" + 7;
  char text[9] = "";
  char* into = text;
  for (int i = 0; i < 8; ++i)
    __asm__ volatile("std\n\tlodsb\n\tcld\n\tstosb"
                     : "+S"(backwards), "+D"(into)
                     :
                     : "rax", "memory", "cc");
  static const unsigned char table[256] = {[7] = 9, [200] = 3};
  __asm__ volatile(
      "mov $7, %%eax\n\txlat\n\tmovzx %%al, %%edx\n\tmov $200, %%eax\n\txlat\n\t"
      "movzx %%al, %%eax\n\tadd %%rdx, %%rax"
      : "=a"(at)
      : "b"(table)
      : "rdx", "memory", "cc");
  say("strings: %lu %s xlat %lu", sum, text, at);
}

static void frames(void) {
  unsigned long before = 0, after = 0, inside = 0;
  __asm__ volatile(
      "lea -256(%%rsp), %%rsp\n\tmov %%rsp, %0\n\tpush %%rbp\n\tmov %%rsp, %%rbp\n\t"
      "enter $32, $0\n\tmov %%rsp, %1\n\tleave\n\tenter $16, $2\n\tleave\n\tpop %%rbp\n\t"
      "mov %%rsp, %2\n\tlea 256(%%rsp), %%rsp"
      : "=&r"(before), "=&r"(inside), "=&r"(after)
      :
      : "memory");
  say("enter and leave: %ld %ld", (long)(before - inside), (long)(before - after));
}

static void exchanges(void) {
  unsigned long pair[2] __attribute__((aligned(16))) = {1, 2};
  unsigned char swapped = 0;
  unsigned long low = 1, high = 2;
  __asm__ volatile("lock cmpxchg16b %1\n\tsete %0"
                   : "=r"(swapped), "+m"(pair), "+a"(low), "+d"(high)
                   : "b"(3UL), "c"(4UL)
                   : "cc");
  say("cmpxchg16b: %d %lu %lu", swapped, pair[0], pair[1]);
  __asm__ volatile("lock cmpxchg16b %1\n\tsete %0"
                   : "=r"(swapped), "+m"(pair), "+a"(low), "+d"(high)
                   : "b"(5UL), "c"(6UL)
                   : "cc");
  say("refused: %d %lu %lu", swapped, low, high);
  static unsigned long cell = 100; /* addressed relative to rip */
  unsigned long old = 7;
  __asm__ volatile(
      "lock xaddq %0, %1\n\tlock incq %1\n\tlock orq $0x1000, %1\n\t"
      "lock btsq $20, %1\n\tlock negq %1\n\tlock notq %1\n\txchgq %0, %1"
      : "+r"(old), "+m"(cell)
      :
      : "cc");
  say("locked: %lu %lu", old, cell);
}

static void floating(void) {
  double result = 0;
  unsigned short control = 0, status = 0;
  __asm__ volatile(
      "fninit\n\tfld1\n\tfldpi\n\tfldl2e\n\tfldln2\n\tfaddp\n\tfmulp\n\tfsubp\n\tfstpl %0\n\t"
      "fnstcw %1\n\tfnstsw %2"
      : "=m"(result), "=m"(control), "=m"(status));
  say("x87: %.12f %#x %#x", result, control, status);
  const unsigned short up = 0x0b7f, usual = 0x037f;
  long rounded = 0;
  const double third = 1.0 / 3;
  __asm__ volatile("fldcw %2\n\tfldl %1\n\tfistpll %0\n\tfldcw %3"
                   : "=m"(rounded)
                   : "m"(third), "m"(up), "m"(usual));
  say("rounded up: %ld", rounded);
  float vector[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  __asm__ volatile(
      "movups (%0), %%xmm3\n\tmovups 16(%0), %%xmm12\n\tmulps %%xmm12, %%xmm3\n\t"
      "haddps %%xmm3, %%xmm3\n\tmovups %%xmm3, (%0)"
      :
      : "r"(vector)
      : "xmm3", "xmm12", "memory");
  say("sse: %g %g", (double)vector[0], (double)vector[1]);
  unsigned mxcsr = 0;
  __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
  say("mxcsr without its sticky flags: %#x", mxcsr & ~0x3fu);
}

static void flags(void) {
  unsigned long sum = 0;
  for (unsigned i = 0; i < 256; ++i) {
    unsigned long after = 0;
    __asm__ volatile("sahf\n\tseto %%al\n\tlahf" : "=a"(after) : "0"((unsigned long)i << 8) : "cc");
    sum = sum * 3 + after;
  }
  __asm__ volatile("std");
  const unsigned long down = flags_now() >> 10 & 1;
  __asm__ volatile("cld\n\tstc");
  const unsigned long carry = flags_now() & 1;
  __asm__ volatile("cmc");
  say("flags: %#lx direction %lu carry %lu cleared %lu", sum, down, carry, 1 - (flags_now() & 1));
  /* The identification flag and alignment checking may be set by programs. */
  __asm__ volatile(
      "lea -128(%%rsp), %%rsp\n\tpushfq\n\torq $0x200000, (%%rsp)\n\tpopfq\n\t"
      "lea 128(%%rsp), %%rsp"
      :
      :
      : "memory", "cc");
  say("ID set: %lu", flags_now() >> 21 & 1);
  unsigned long sum_aligned = 0;
  static unsigned long cells[64] __attribute__((aligned(64)));
  __asm__ volatile(
      "lea -128(%%rsp), %%rsp\n\tpushfq\n\torq $0x40000, (%%rsp)\n\tpopfq\n\tmov $64, %%ecx\n"
      "1: mov %%rcx, -8(%1, %%rcx, 8)\n\tadd -8(%1, %%rcx, 8), %0\n\tdec %%ecx\n\tjnz 1b\n\t"
      "pushfq\n\tandq $~0x40000, (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), %%rsp"
      : "+&r"(sum_aligned)
      : "r"(cells)
      : "rcx", "memory", "cc");
  say("with alignment checked: %lu", sum_aligned);
}

static void identification(void) {
  unsigned a = 0, b = 0x12345678, c = 0, d = 0;
  say("cpuid: %d", __get_cpuid(0, &a, &b, &c, &d) && a > 0 && b != 0x12345678);
  unsigned first = 0, second = 0, high = 0;
  __asm__ volatile("rdtsc" : "=a"(first), "=d"(high));
  const unsigned long before = (unsigned long)high << 32 | first;
  __asm__ volatile("rdtsc" : "=a"(second), "=d"(high));
  say("rdtsc grows: %d", ((unsigned long)high << 32 | second) > before);
}

int main(void) {
  red_zone();
  strings();
  frames();
  exchanges();
  floating();
  flags();
  identification();
  return 0;
}
