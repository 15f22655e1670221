/* Does what the native engine cannot follow, in the way that the argument names, amid threads that
 * compute, fault and wait, and signals. What it prints is the same with and without the engine. */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>

#include "tests/native/programs/transcript.h"

extern char __executable_start[], etext[];

static atomic_int stop, faults, ticks, outside, computing_threads;
static atomic_long rounds;
static __thread sigjmp_buf back;
static __thread int jumps;
static char alternate[65536];
static int alternate_tick;

static void on_fault(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  if (!jumps) _exit(92);
  faults++;
  siglongjmp(back, 1);
}

/* The computing threads are always in this program's own code. */
static void on_tick(int number, siginfo_t* info, void* context) {
  (void)number, (void)info;
  const char* at = (const char*)((ucontext_t*)context)->uc_mcontext.gregs[REG_RIP];
  ticks++;
  if (at < __executable_start || at >= etext) outside++;
}

static void on_hangup(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  char here;
  alternate_tick = &here >= alternate && &here < alternate + sizeof(alternate);
}

static void* fault(void* argument) {
  jumps = 1;
  while (!stop)
    if (!sigsetjmp(back, 1)) *(volatile int*)8 = 1;
  return argument;
}

static void* compute(void* argument) {
  computing_threads++;
  while (!stop) rounds++;
  return argument;
}

static void* wait_for_nothing(void* argument) {
  const int set = epoll_create1(0);
  struct epoll_event event;
  *(int*)argument = epoll_wait(set, &event, 1, 200);
  return argument;
}

static void* wait_for_byte(void* argument) {
  char byte = 0;
  const long size = read(*(int*)argument, &byte, 1);
  say("read: %ld %c", size, byte);
  return NULL;
}

static void* answer(void* argument) {
  return argument;
}

/* ---- ways to leave ---- */

static uint64_t word = 77;

static uint64_t first_of_gs(void) {
  uint64_t value = 0;
  __asm__ volatile("mov %%gs:0, %0" : "=r"(value));
  return value;
}

static void set_gs(void) {
  uint64_t before = 1;
  say_call("get", syscall(SYS_arch_prctl, ARCH_GET_GS, &before));
  say("before: %lu", (unsigned long)before);
  say_call("set", syscall(SYS_arch_prctl, ARCH_SET_GS, &word));
  say("gs: %lu", (unsigned long)first_of_gs());
}

static void write_gs_base(void) {
  enum { FSGSBASE = 2 };
  if ((getauxval(AT_HWCAP2) & FSGSBASE) == 0) return set_gs();
  __asm__ volatile("wrgsbase %0" : : "r"(&word));
  say("gs: %lu", (unsigned long)first_of_gs());
}

/* Nobody has set it: it is 0. */
static void read_gs(void) {
  jumps = 1;
  if (!sigsetjmp(back, 1)) say("gs: %lu", (unsigned long)first_of_gs());
  jumps = 0;
  uint64_t base = 1;
  syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
  say("faulted: %d, base: %lu", faults > 0, (unsigned long)base);
}

/* To be copied below 4 GiB, with its stack: in 32-bit mode the upper halves of the registers are
 * lost on some CPUs. */
extern const char narrow_begin[], narrow_end[];
__asm__(
    ".pushsection .rodata\n"
    "narrow_begin:\n"
    "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "  mov %rsp, 1f(%rip)\n"
    "  lea 2f(%rip), %rsp\n"
    "  lea 3f(%rip), %rax\n"
    "  lea 4f(%rip), %rcx\n"
    "  push $0x23; push %rax; lretq\n"
    "  .code32\n"
    "3:mov $42, %eax\n"
    "  push $0x33; push %ecx; lret\n"
    "  .code64\n"
    "4:mov 1f(%rip), %rsp\n"
    "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "  ret\n"
    "1:.quad 0\n"
    "  .skip 64\n"
    "2:\n"
    "narrow_end:\n"
    "  .popsection");

static void enter_32_bits(void) {
  char* code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  must(code != MAP_FAILED, "mmap");
  memcpy(code, narrow_begin, (size_t)(narrow_end - narrow_begin));
  say("from 32-bit code: %d", ((int (*)(void))code)());
}

static void fork_by_interrupt(void) {
  int result = 2; /* fork */
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  if (result == 0) _exit(44);
  wait_and_say("child", result);
}

static void take_calls_as_signals(void) {
  static char selector; /* allow */
  say_call("dispatch", prctl(59, 1, 0, 0, &selector));
}

static void make_data_executable(void) {
  say("persona: %d", personality(READ_IMPLIES_EXEC) >= 0);
  unsigned char* code =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(code, "\xb8\x2a\0\0\0\xc3", 6);
  say("from data: %d", ((int (*)(void))code)());
}

static void limit_memory(void) {
  const struct rlimit limit = {1UL << 30, 1UL << 30};
  say_call("limit", setrlimit(RLIMIT_AS, &limit));
  char* memory = malloc(400UL << 20);
  say("memory: %d", memory != NULL);
  memset(memory, 1, 1 << 20);
}

/* Somebody else limits the memory: as much as there is, and some for one more thread. */
static void start_thread_in_little_room(void) {
  const pid_t child = fork();
  if (child == 0) {
    char path[64];
    unsigned long pages = 0;
    snprintf(path, sizeof(path), "/proc/%d/statm", getppid());
    FILE* sizes = fopen(path, "r");
    must(sizes != NULL && fscanf(sizes, "%lu", &pages) == 1, "statm");
    const rlim_t most = pages * 4096 + (1UL << 30);
    const struct rlimit limit = {most, most};
    must(prlimit(getppid(), RLIMIT_AS, &limit, NULL) == 0, "prlimit");
    _exit(0);
  }
  wait_and_say("limited", child);
  pthread_t thread;
  char* result = NULL;
  say("thread: %d", pthread_create(&thread, NULL, answer, "answered"));
  pthread_join(thread, (void**)&result);
  say("%s", result);
}

static void enter_strict_mode(void) {
  if (prctl(PR_SET_SECCOMP, 1) != 0) say("strict mode: %s", strerror(errno));
  say("strictly");
  syscall(SYS_exit, 9);
}

static const struct {
  const char* name;
  void (*leave)(void);
} ways[] = {
    {"set_gs", set_gs},
    {"write_gs_base", write_gs_base},
    {"read_gs", read_gs},
    {"32_bits", enter_32_bits},
    {"interrupt_fork", fork_by_interrupt},
    {"dispatch", take_calls_as_signals},
    {"executable_data", make_data_executable},
    {"limit", limit_memory},
    {"little_room", start_thread_in_little_room},
    {"strict", enter_strict_mode},
};

static void leave(const char* name) {
  for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
    if (strcmp(ways[i].name, name) == 0) return ways[i].leave();
  say("FAILED: no way %s", name);
}

int main(int argc, char** argv) {
  if (argc == 2) { /* alone */
    handle(SIGSEGV, on_fault, 0);
    leave(argv[1]);
    return 33;
  }
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
  sigaltstack(&stack, NULL);
  handle(SIGSEGV, on_fault, SA_NODEFER);
  handle(SIGUSR1, on_tick, SA_RESTART);
  handle(SIGHUP, on_hangup, SA_ONSTACK);
  const sigset_t blocked = set_of(SIGUSR2, SIGBUS);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  raise(SIGUSR2);
  raise(SIGBUS);

  int ends[2];
  must(pipe(ends) == 0, "pipe");
  pthread_t faulting, computing[2], waiting, reading;
  pthread_create(&faulting, NULL, fault, NULL);
  for (int i = 0; i < 2; i++) pthread_create(&computing[i], NULL, compute, NULL);
  int found = -1;
  pthread_create(&waiting, NULL, wait_for_nothing, &found);
  pthread_create(&reading, NULL, wait_for_byte, &ends[0]);
  while (computing_threads < 2 || faults == 0) usleep(1000);
  usleep(20000); /* the others wait by now */

  leave(argv[1]);

  const int faults_before = faults;
  const long rounds_before = rounds;
  for (int i = 0; i < 40; i++) {
    pthread_kill(computing[i % 2], SIGUSR1);
    usleep(500);
  }
  pthread_join(waiting, NULL);
  say("waited for: %d", found);
  must(write(ends[1], "x", 1) == 1, "write");
  pthread_join(reading, NULL);
  raise(SIGHUP);
  say("handler on its stack: %d", alternate_tick);
  sigset_t pending, mask;
  sigpending(&pending);
  sigprocmask(SIG_BLOCK, NULL, &mask);
  say("pending: %d %d, blocked: %d %d", sigismember(&pending, SIGUSR2),
      sigismember(&pending, SIGBUS), sigismember(&mask, SIGUSR2), sigismember(&mask, SIGBUS));
  for (int i = 0; i < 60000 && (faults == faults_before || rounds == rounds_before); i++)
    usleep(1000);
  say("others go on: %d %d", faults > faults_before, rounds > rounds_before);
  stop = 1;
  pthread_join(faulting, NULL);
  for (int i = 0; i < 2; i++) pthread_join(computing[i], NULL);
  pthread_t late;
  must(pthread_create(&late, NULL, compute, NULL) == 0, "pthread_create");
  pthread_join(late, NULL);
  say("ticks: %d, outside its code: %d", ticks > 0, outside);
  return 33;
}
