/* Handlers that edit the context they return to: the instruction pointer, registers, flags, vector
 * registers, the mask; contexts made and swapped without signals. */
#define _GNU_SOURCE
#include <ucontext.h>

#include "transcript.h"

static void skip(int number, siginfo_t* info, void* context) {
  (void)number, (void)info;
  ucontext_t* state = context;
  greg_t* gregs = state->uc_mcontext.gregs;
  gregs[REG_RIP] += 2; /* over ud2 */
  static const int all[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSI, REG_RDI, REG_R8,
                            REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  for (unsigned i = 0; i < sizeof(all) / sizeof(*all); ++i) gregs[all[i]] = 3 * gregs[all[i]] + i;
  gregs[REG_EFL] ^= 0x8d5; /* carry, parity, adjust, zero, sign, overflow */
  sigaddset(&state->uc_sigmask, SIGUSR2);
}

static void edit_vectors(int number, siginfo_t* info, void* context) {
  (void)number, (void)info;
  ucontext_t* state = context;
  state->uc_mcontext.gregs[REG_RIP] += 2;
  for (unsigned i = 0; i < 16; ++i) state->uc_mcontext.fpregs->_xmm[i].element[0] += 1000u + i;
}

unsigned long registers[14], flags; /* named by the assembly */
static unsigned vectors[16];

static void load_fault_store(void) {
  __asm__ volatile(
      "push %%rbx\n\tpush %%rbp\n\tpush %%r12\n\tpush %%r13\n\tpush %%r14\n\tpush %%r15\n\t"
      "mov $1, %%eax\n\tmov $2, %%ecx\n\tmov $3, %%edx\n\tmov $4, %%ebx\n\tmov $5, %%esi\n\t"
      "mov $6, %%edi\n\tmov $7, %%r8d\n\tmov $8, %%r9d\n\tmov $9, %%r10d\n\tmov $10, %%r11d\n\t"
      "mov $11, %%r12d\n\tmov $12, %%r13d\n\tmov $13, %%r14d\n\tmov $14, %%r15d\n\t"
      "xor %%ebp, %%ebp\n\tstc\n\t"
      "ud2\n\t"
      "mov %%rax, registers(%%rip)\n\tmov %%rcx, 8+registers(%%rip)\n\t"
      "mov %%rdx, 16+registers(%%rip)\n\tmov %%rbx, 24+registers(%%rip)\n\t"
      "mov %%rsi, 32+registers(%%rip)\n\tmov %%rdi, 40+registers(%%rip)\n\t"
      "mov %%r8, 48+registers(%%rip)\n\tmov %%r9, 56+registers(%%rip)\n\t"
      "mov %%r10, 64+registers(%%rip)\n\tmov %%r11, 72+registers(%%rip)\n\t"
      "mov %%r12, 80+registers(%%rip)\n\tmov %%r13, 88+registers(%%rip)\n\t"
      "mov %%r14, 96+registers(%%rip)\n\tmov %%r15, 104+registers(%%rip)\n\t"
      "pushfq\n\tpop flags(%%rip)\n\t"
      "pop %%r15\n\tpop %%r14\n\tpop %%r13\n\tpop %%r12\n\tpop %%rbp\n\tpop %%rbx"
      :
      :
      : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
}

static void vectors_through_a_handler(void) {
  for (unsigned i = 0; i < 16; ++i) vectors[i] = i;
  __asm__ volatile(
      "movd 0(%0), %%xmm0\n\tmovd 4(%0), %%xmm1\n\tmovd 60(%0), %%xmm15\n\tud2\n\t"
      "movd %%xmm0, 0(%0)\n\tmovd %%xmm1, 4(%0)\n\tmovd %%xmm15, 60(%0)"
      :
      : "r"(vectors)
      : "xmm0", "xmm1", "xmm15", "memory");
  say("xmm %u %u %u", vectors[0], vectors[1], vectors[15]);
}

static ucontext_t main_context, ping, pong;
static int turns;

static void play(const char* name, ucontext_t* self, ucontext_t* other) {
  while (turns < 6) {
    say("%s %d", name, ++turns);
    swapcontext(self, other);
  }
}
static void play_ping(void) {
  play("ping", &ping, &pong);
}
static void play_pong(void) {
  play("pong", &pong, &ping);
}

int main(void) {
  handle(SIGILL, skip, 0);
  load_fault_store();
  for (int i = 0; i < 14; ++i) say("register %d: %lu", i, registers[i]);
  say("flags %#lx", flags & 0x8d5);
  sigset_t now;
  sigprocmask(SIG_BLOCK, NULL, &now);
  say("USR2 blocked by the handler: %d", sigismember(&now, SIGUSR2));
  handle(SIGILL, edit_vectors, 0);
  vectors_through_a_handler();

  static char stacks[2][65536];
  getcontext(&ping);
  ping.uc_stack.ss_sp = stacks[0];
  ping.uc_stack.ss_size = sizeof(stacks[0]);
  ping.uc_link = &main_context;
  makecontext(&ping, play_ping, 0);
  getcontext(&pong);
  pong.uc_stack.ss_sp = stacks[1];
  pong.uc_stack.ss_size = sizeof(stacks[1]);
  pong.uc_link = &main_context;
  makecontext(&pong, play_pong, 0);
  swapcontext(&main_context, &ping);
  say("back in main after %d turns", turns);
  volatile int rounds = 0;
  ucontext_t again;
  getcontext(&again);
  if (++rounds < 100) setcontext(&again);
  say("%d rounds by setcontext", rounds);
  return 0;
}
