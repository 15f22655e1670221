#include "start.h"

/* Functions whose counts stand here. The first has two instructions and no end of its own: the
 * block that begins in it ends in the second, which has two as well. The third has 2 n + 1. */
long falls_through(long value);
long fallen_into(long value);
long counts_down(long n);
__asm__(
    ".text\n"
    ".globl falls_through, fallen_into, counts_down\n"
    ".type falls_through, @function\n.type fallen_into, @function\n.type counts_down, @function\n"
    "falls_through:\n\tlea 1(%rdi), %rax\n\txor %rdi, %rax\n"
    ".size falls_through, . - falls_through\n"
    "fallen_into:\n\timul $3, %rax, %rax\n\tret\n"
    ".size fallen_into, . - fallen_into\n"
    "counts_down:\n1:\tdec %rdi\n\tjnz 1b\n\tret\n"
    ".size counts_down, . - counts_down\n");

static __attribute__((noinline)) long light(long value) {
  return value * 5 + 1;
}

static __attribute__((noinline)) long heavy(long value) {
  volatile long sum = value;
  for (long i = 0; i < 100; i++) sum = sum * 7 + i;
  return sum;
}

static long work(void) {
  long value = 1;
  for (long i = 0; i < 1000; i++) value ^= falls_through(i);
  for (long i = 0; i < 500; i++) value ^= fallen_into(i);
  for (long i = 0; i < 10; i++) value ^= counts_down(1000);
  for (long i = 0; i < 50; i++) value = heavy(light(value));
  return value;
}
