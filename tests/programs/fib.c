/* fib [N]: the Nth Fibonacci number by calls alone; checks it against a loop. */
#include <stdint.h>

#include "argument.h"

__attribute__((noinline)) static uint64_t fib(unsigned long n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(int argc, char** argv) {
  const unsigned long n = number_argument(argc, argv, 1, 25);
  uint64_t a = 0, b = 1;
  for (unsigned long i = 0; i < n; ++i) {
    const uint64_t next = a + b;
    a = b;
    b = next;
  }
  require(fib(n) == a, "the sum of the calls");
  return 0;
}
