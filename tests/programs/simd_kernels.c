/* simd_kernels KERNEL [ROUNDS]: matrix (a product of 128 x 128 floats), cached (a triad in the
 * first cache level) or stream (a triad in memory), vectorised as the compiler was told; checks its
 * sum. Exits with 3 if the processor lacks the instructions that it was built for. */
#include <string.h>

#include "argument.h"

enum { kSide = 128, kCached = 1024, kStream = 4 << 20 };

static float left[kSide][kSide], right[kSide][kSide], product[kSide][kSide];
static double a[kStream], b[kStream], c[kStream];

__attribute__((noinline)) static void multiply(void) {
  memset(product, 0, sizeof(product));
  for (int i = 0; i < kSide; ++i)
    for (int k = 0; k < kSide; ++k)
      for (int j = 0; j < kSide; ++j) product[i][j] += left[i][k] * right[k][j];
}

__attribute__((noinline)) static void triad(long size, double factor) {
  for (long i = 0; i < size; ++i) a[i] = b[i] + factor * c[i];
}

static int processor_has_it(void) {
#if defined(__AVX512F__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
#elif defined(__AVX2__)
  return __builtin_cpu_supports("avx2");
#else
  return 1;
#endif
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  if (!processor_has_it()) return 3;
  const unsigned long rounds = number_argument(argc, argv, 2, 1);
  if (strcmp(argv[1], "matrix") == 0) {
    for (int i = 0; i < kSide; ++i)
      for (int j = 0; j < kSide; ++j) left[i][j] = (float)((i + j) % 3), right[i][j] = 1;
    for (unsigned long round = 0; round < rounds; ++round) multiply();
    /* Sums of small whole numbers: exact in any order. */
    float sum = 0, expected = 0;
    for (int j = 0; j < kSide; ++j) sum += product[0][j], expected += kSide * left[0][j];
    require(sum == expected, "the product's first row");
    return 0;
  }
  const long size = strcmp(argv[1], "cached") == 0 ? kCached : kStream;
  for (long i = 0; i < size; ++i) b[i] = (double)(i % 7), c[i] = (double)(i % 5);
  for (unsigned long round = 0; round < rounds; ++round) triad(size, (double)(round % 4 + 1));
  for (long i = 0; i < size; ++i)
    require(a[i] == b[i] + (double)((rounds - 1) % 4 + 1) * c[i], "the triad");
  return 0;
}
