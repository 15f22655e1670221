/* Control transfers that compilers seldom write: through every register, through memory relative to
 * the stack pointer, by returns that no call made, far ones; each lands where it should. */
#include "transcript.h"

static unsigned long hits;

/* Jumps through a register, and calls through it: the operand is loaded from what %0 names. */
#define THROUGH(name)                                                                            \
  __asm__ volatile(                                                                              \
      "push %%rbp\n\tpush %%rbx\n\t"                                                             \
      "lea 1f(%%rip), %%" name "\n\tjmp *%%" name                                                \
      "\n\tud2\n"                                                                                \
      "1: lea 2f(%%rip), %%" name "\n\tcall *%%" name                                            \
      "\n\tjmp 3f\n"                                                                             \
      "2: ret\n"                                                                                 \
      "3: pop %%rbx\n\tpop %%rbp\n\tincq %0"                                                     \
      : "+m"(hits)                                                                               \
      :                                                                                          \
      : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", \
        "memory", "cc")

static void registers(void) {
  THROUGH("rax");
  THROUGH("rcx");
  THROUGH("rdx");
  THROUGH("rbx");
  THROUGH("rbp");
  THROUGH("rsi");
  THROUGH("rdi");
  THROUGH("r8");
  THROUGH("r9");
  THROUGH("r10");
  THROUGH("r11");
  THROUGH("r12");
  THROUGH("r13");
  THROUGH("r14");
  THROUGH("r15");
  say("registers: %lu", hits);
}

/* The red zone is not there in these: rsp is moved below it first. */
#define ON_OWN_STACK(text, ...) \
  __asm__ volatile("lea -256(%%rsp), %%rsp\n\t" text "\n\tlea 256(%%rsp), %%rsp" __VA_ARGS__)

static void stack_relative(void) {
  unsigned long result = 0;
  ON_OWN_STACK(
      "lea 1f(%%rip), %%rax\n\tpush %%rax\n\tlea 2f(%%rip), %%rax\n\tpush %%rax\n\t"
      "call *8(%%rsp)\n\t" /* the address that lies there before the push */
      "add $10, %0\n\tjmp *(%%rsp)\n\tud2\n"
      "1: add $1, %0\n\tret\n"
      "2: add $100, %0\n\tpop %%rax\n\tpop %%rax",
      : "+r"(result)
      :
      : "rax", "memory", "cc");
  say("relative to the stack pointer: %lu", result);
  result = 0;
  ON_OWN_STACK(
      "lea 1f(%%rip), %%rax\n\tmov %%rax, -8(%%rsp)\n\tcall *-8(%%rsp)\n\tadd $1000, %0\n\tjmp 2f\n"
      "1: add $1, %0\n\tret\n2:",
      : "+r"(result)
      :
      : "rax", "memory", "cc");
  say("a call through the slot that it then writes: %lu", result);
  ON_OWN_STACK(
      "xor %0, %0\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tmov $-1, %%rcx\n\tcall "
      "*8(%%rsp,%%rcx,8)\n\t"
      "pop %%rax\n\tadd $1000, %0\n\tjmp 2f\n1: add $5, %0\n\tret\n2:",
      : "+r"(result)
      :
      : "rax", "rcx", "memory", "cc");
  say("with an index: %lu", result);
}

static void odd_returns(void) {
  unsigned long result = 0, before = 0, after = 0;
  ON_OWN_STACK("lea 1f(%%rip), %%rax\n\tpush %%rax\n\tret\n\tud2\n1: add $1, %0",
               : "+r"(result)
               :
               : "rax", "memory", "cc");
  ON_OWN_STACK("call 1f\n1: pop %%rax\n\tadd $2f-1b, %%rax\n\tjmp *%%rax\n\tud2\n2: add $2, %0",
               : "+r"(result)
               :
               : "rax", "memory", "cc");
  ON_OWN_STACK("call 1f\n\tud2\n\tadd $4, %0\n\tjmp 2f\n1: addq $2, (%%rsp)\n\tret\n2:",
               : "+r"(result)
               :
               : "memory", "cc");
  say("returns that no call made: %lu", result);
  ON_OWN_STACK(
      "mov %%rsp, %0\n\tpush $1\n\tpush $2\n\tpush $3\n\tcall 1f\n\tjmp 2f\n1: ret $24\n2: "
      "mov %%rsp, %1",
      : "=&r"(before), "=&r"(after)
      :
      : "memory", "cc");
  say("ret with a number pops: %ld", (long)(after - before));
  ON_OWN_STACK(
      "sub $3, %%rsp\n\tmov %%rsp, %0\n\tcall 1f\n\tjmp 2f\n1: incq %1\n\tret\n2: sub %%rsp, %0\n\t"
      "add $3, %%rsp",
      : "=&r"(before), "+r"(result)
      :
      : "memory", "cc");
  say("on a stack that is not aligned: %lu, %ld", result, (long)before);
  result = 0;
  ON_OWN_STACK(
      "mov %%cs, %%eax\n\tpush %%rax\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tlretq\n\tud2\n"
      "1: add $1, %0\n\t"
      "mov %%rsp, %%rdx\n\tmov %%ss, %%eax\n\tpush %%rax\n\tpush %%rdx\n\tpushfq\n\t"
      "mov %%cs, %%eax\n\tpush %%rax\n\tlea 2f(%%rip), %%rax\n\tpush %%rax\n\tiretq\n\tud2\n"
      "2: add $2, %0",
      : "+r"(result)
      :
      : "rax", "rdx", "memory", "cc");
  say("far returns: %lu", result);
}

static void counted_jumps(void) {
  unsigned long a = 0, b = 0, c = 0, d = 0;
  __asm__ volatile(
      "mov $50, %%ecx\n1: incq %0\n\tloop 1b\n\t"
      "mov $50, %%ecx\n2: incq %1\n\tcmp $20, %1\n\tloopne 2b\n\t"
      "mov $50, %%ecx\n3: incq %2\n\tcmp $9, %2\n\tsetb %%al\n\tcmp $1, %%al\n\tloope 3b\n\t"
      "xor %%ecx, %%ecx\n\tjrcxz 4f\n\tud2\n4: mov $1, %%ecx\n\tjrcxz 5f\n\tincq %3\n5: "
      "mov $0xff00000000, %%rcx\n\tjecxz 6f\n\tud2\n6: incq %3\n\t"
      "mov $3, %%ecx\n7: incq %3\n\tdec %%ecx\n\tjrcxz 8f\n\tjmp 7b\n8:"
      : "+r"(a), "+r"(b), "+r"(c), "+r"(d)
      :
      : "rax", "rcx", "cc");
  say("loop %lu loopne %lu loope %lu jrcxz %lu", a, b, c, d);
}

/* All sixteen conditions with flags set by popfq, both ways; the flags must survive the jumps. */
static void conditions(void) {
  unsigned long taken = 0, kept = 0;
  for (unsigned flags = 0; flags < 64; ++flags) {
    const unsigned long rflags = 2 | (flags & 1) | (flags & 2) << 1 | (flags & 4) << 2 |
                                 (flags & 8) << 3 | (flags & 16) << 3 | (flags & 32) << 6;
    unsigned long after = 0, mask = 0;
#define ONE(condition) "lea (%1, %1), %1\n\tj" condition " 1f\n\tjmp 2f\n1: lea 1(%1), %1\n2: "
    ON_OWN_STACK("push %2\n\tpopfq\n\t" ONE("o") ONE("no") ONE("b") ONE("nb") ONE("z") ONE("nz")
                     ONE("be") ONE("nbe") ONE("s") ONE("ns") ONE("p") ONE("np") ONE("l") ONE("nl")
                         ONE("le") ONE("nle") "pushfq\n\tpop %0",
                 : "=&r"(after), "+&r"(mask)
                 : "r"(rflags)
                 : "memory", "cc");
    taken = taken * 131 + mask;
    kept += (after & 0x8d5) == (rflags & 0x8d5);
  }
  say("conditions: %#lx, flags kept %lu of 64", taken, kept);
}

static void after_system_calls(void) {
  unsigned long rcx = 0, label = 0, r11 = 0;
  __asm__ volatile(
      "mov $39, %%eax\n\tstc\n\tsyscall\n1: mov %%rcx, %0\n\tlea 1b(%%rip), %1\n\t"
      "mov %%r11, %2"
      : "=&r"(rcx), "=&r"(label), "=&r"(r11)
      :
      : "rax", "rcx", "r11", "memory", "cc");
  say("syscall leaves rcx at the next instruction: %d, carry in r11: %lu", rcx == label, r11 & 1);
}

static int chosen(int which) {
  switch (which) {
    case 0: return 11;
    case 1: return 23;
    case 2: return 31;
    case 3: return 47;
    case 4: return 59;
    case 5: return 61;
    case 6: return 79;
    case 7: return 83;
    case 8: return 97;
    case 9: return 103;
    default: return which;
  }
}

static void tables(void) {
  unsigned long sum = 0;
  for (int i = 0; i < 100000; ++i) sum = sum * 3 + (unsigned long)chosen(i * 7 % 13);
  int (*const functions[])(int) = {chosen, abs, chosen};
  for (int i = 0; i < 3000; ++i) sum += (unsigned long)functions[i % 3](-i);
  say("tables: %#lx", sum);
}

int main(void) {
  registers();
  stack_relative();
  odd_returns();
  counted_jumps();
  conditions();
  after_system_calls();
  tables();
  return 0;
}
