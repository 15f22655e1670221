/* Every way to fault: which signal, which code, which address, and where the program was. Addresses
 * are told relative to labels, so that they must be the program's own. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "transcript.h"

static sigjmp_buf back;
static volatile const char* data; /* what si_addr is told relative to */

extern const char at_divide[], at_overflow[], at_ud2[], at_int3[], at_hlt[], at_movaps[], at_load[],
    at_store[], at_noncanonical[], at_x87[], at_sse[], at_in[], at_string[];

static const char* volatile expected;

static void on_fault(int number, siginfo_t* info, void* context) {
  const ucontext_t* state = context;
  const char* rip = (const char*)state->uc_mcontext.gregs[REG_RIP];
  const char* address = info->si_addr;
  say("signal %d code %d, rip at the label %+ld, address: label %s data %s null %d", number,
      info->si_code, (long)(rip - expected), address == expected ? "yes" : "no",
      address == data ? "yes" : "no", address == NULL);
  say("trap %lld error %lld", (long long)state->uc_mcontext.gregs[REG_TRAPNO],
      (long long)state->uc_mcontext.gregs[REG_ERR]);
  siglongjmp(back, 1);
}

#define FAULT(label, text, ...)           \
  do {                                    \
    expected = label;                     \
    if (sigsetjmp(back, 1) == 0) {        \
      __asm__ volatile(text __VA_ARGS__); \
      say("no fault at " #label);         \
    }                                     \
  } while (0)

int main(void) {
  for (int number = 1; number < 32; ++number)
    if (number == SIGFPE || number == SIGILL || number == SIGTRAP || number == SIGSEGV ||
        number == SIGBUS)
      handle(number, on_fault, 0);

  FAULT(at_divide, "xor %%edx, %%edx\n\txor %%ecx, %%ecx\n\tmov $7, %%eax\nat_divide: div %%ecx",
        :
        :
        : "eax", "ecx", "edx", "cc");
  FAULT(at_overflow, "mov $0x80000000, %%eax\n\tcltd\n\tmov $-1, %%ecx\nat_overflow: idiv %%ecx",
        :
        :
        : "eax", "ecx", "edx", "cc");
  FAULT(at_ud2, "nop\nat_ud2: ud2", : : : "memory");
  FAULT(at_int3, "nop\nat_int3: int3\n\tnop", : : : "memory");
  FAULT(at_hlt, "nop\nat_hlt: hlt", : : : "memory");
  FAULT(at_in, "nop\nat_in: in (%%dx), %%al", : : : "eax", "memory");
  char misaligned[64] __attribute__((aligned(16)));
  FAULT(at_movaps, "at_movaps: movaps %%xmm0, 1(%0)", : : "r"(misaligned) : "memory");
  FAULT(at_noncanonical, "at_noncanonical: mov (%0), %%eax", : : "r"(1UL << 62) : "eax");

  char* none = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  data = none + 100;
  FAULT(at_load, "mov $1, %%eax\nat_load: add (%0), %%eax", : : "r"(data) : "eax", "cc");
  FAULT(at_store, "at_store: movq $5, (%0)", : : "r"(data) : "memory");
  must(mprotect(none, 4096, PROT_READ | PROT_WRITE) == 0, "mprotect");
  data = none + 4096;
  FAULT(at_string, "mov %0, %%rdi\n\tmov $100, %%ecx\nat_string: rep stosb",
        :
        : "r"(none + 4000)
        : "rdi", "rcx", "memory");

  const int file = memfd_create("bus", 0);
  must(ftruncate(file, 8192) == 0, "ftruncate");
  char* mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  must(ftruncate(file, 4096) == 0, "ftruncate");
  data = mapped + 4096;
  expected = NULL;
  if (sigsetjmp(back, 1) == 0) {
    struct sigaction bus = action_of(on_fault, 0);
    must(sigaction(SIGBUS, &bus, NULL) == 0, "sigaction");
    extern const char at_bus[];
    expected = at_bus;
    __asm__ volatile("at_bus: movb (%0), %%al" : : "r"(data) : "eax", "memory");
  }

  /* Jumps to where nothing can be executed: the fault is there, not at the jump. */
  data = none;
  expected = none;
  if (sigsetjmp(back, 1) == 0) ((void (*)(void))none)();
  munmap(none, 8192);
  if (sigsetjmp(back, 1) == 0) ((void (*)(void))none)();
  data = expected = NULL;
  if (sigsetjmp(back, 1) == 0) __asm__ volatile("call *%0" : : "r"(0UL) : "memory");
  data = expected = (const char*)4096;
  if (sigsetjmp(back, 1) == 0) __asm__ volatile("push %0\n\tret" : : "r"(4096UL) : "memory");

  const unsigned short x87_unmasked = 0x0373; /* division by zero raises */
  data = NULL;
  FAULT(at_x87, "fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp\nat_x87: fwait\n\tfninit",
        :
        : "m"(x87_unmasked)
        : "memory");
  __asm__ volatile("fninit");
  const unsigned sse_unmasked = 0x1d80, sse_default = 0x1f80;
  FAULT(at_sse,
        "ldmxcsr %0\n\txorps %%xmm1, %%xmm1\n\tmov $1, %%eax\n\tcvtsi2ss %%eax, %%xmm0\n"
        "at_sse: divss %%xmm1, %%xmm0",
        :
        : "m"(sse_unmasked)
        : "xmm0", "xmm1", "eax", "memory");
  __asm__ volatile("ldmxcsr %0" : : "m"(sse_default));
  say("end");
  return 0;
}
