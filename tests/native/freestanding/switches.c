/* Jump tables, calls through tables of functions, tail calls, and functions of many arguments. */
#include "../../exact/freestanding/start.h"

static long state = 1;

static long add(long x) {
  return x + 3;
}
static long twice(long x) {
  return 2 * x;
}
static long mix(long x) {
  return x ^ (x >> 3);
}
static long (*volatile operations[])(long) = {add, twice, mix, add, mix};

__attribute__((noinline)) static long odd(long n);
__attribute__((noinline)) static long even(long n) {
  return n == 0 ? 1 : odd(n - 1);
}
__attribute__((noinline)) static long odd(long n) {
  return n == 0 ? 0 : even(n - 1);
}

__attribute__((noinline)) static long many(long a, long b, long c, long d, long e, long f, long g,
                                           long h, double x) {
  return a - b + c - d + e - f + g - h + (long)x;
}

__attribute__((noinline)) static long interpret(const unsigned char* code, int size) {
  long top = 1;
  for (int i = 0; i < size; i++) switch (code[i] & 15) {
      case 0: top += 1; break;
      case 1: top -= 2; break;
      case 2: top *= 3; break;
      case 3: top ^= 0x55; break;
      case 4: top <<= 1; break;
      case 5: top >>= 2; break;
      case 6: top = -top; break;
      case 7: top |= 4; break;
      case 8: top &= 0xffff; break;
      case 9: top = operations[i % 5](top); break;
      case 10: top += i; break;
      case 11: i += top & 1; break;
      case 12: state += top; break;
      default: top ^= state; break;
    }
  return top;
}

static long work(void) {
  unsigned char code[150];
  unsigned seed = 99;
  for (int i = 0; i < (int)sizeof(code); i++)
    code[i] = (unsigned char)((seed = seed * 1103515245u + 12345u) >> 16);
  long sum = 0;
  for (int i = 0; i < 10; i++) {
    sum += interpret(code, (int)sizeof(code));
    sum += even(i * 7) + many(i, 2, 3, 4, 5, sum & 7, 7, 8, 1.5 * i);
  }
  return sum;
}
