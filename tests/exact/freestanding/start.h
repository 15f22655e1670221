/* A program without a C library: main's work is all it executes, on any machine. */
#ifndef BOPS_TESTS_FREESTANDING_START_H
#define BOPS_TESTS_FREESTANDING_START_H

static long work(void);

/* The result goes into the exit status, so that the compiler cannot drop the work. */
__attribute__((noreturn, used)) void begin(void) {
  long status = work() & 127;
  /* The call that ends it is alone in its block: callgrind never counts the block that a process
   * ends in. */
  __asm__ volatile("test %%eax, %%eax\n\tjz 1f\n1:\tsyscall"
                   :
                   : "a"(231), "D"(status)
                   : "rcx", "r11", "memory", "cc");
  __builtin_unreachable();
}

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tand $-16, %rsp\n\tcall begin\n\thlt\n");

/* What compilers call by themselves. */
__attribute__((used)) void* memset(void* to, int byte, unsigned long size) {
  volatile unsigned char* at = to;
  while (size--) *at++ = (unsigned char)byte;
  return to;
}
__attribute__((used)) void* memcpy(void* to, const void* from, unsigned long size) {
  volatile unsigned char* at = to;
  const unsigned char* source = from;
  while (size--) *at++ = *source++;
  return to;
}

#endif
