/* Loops that compilers vectorise, with remainders, reductions, gathers and conversions. */
#include "../../exact/freestanding/start.h"

enum { kCount = 203, kSide = 13 };

static float f[kCount], g[kCount];
static double d[kCount], product[kSide * kSide], left[kSide * kSide], right[kSide * kSide];
static int a[kCount], b[kCount], places[kCount];
static unsigned char bytes[kCount];
static short shorts[kCount];

static void fill(void) {
  unsigned state = 1;
  for (int i = 0; i < kCount; i++) {
    state = state * 1103515245u + 12345u;
    a[i] = (int)(state >> 16) - 20000;
    b[i] = (int)(state >> 8 & 0xffff);
    places[i] = (int)(state >> 9) % kCount;
    bytes[i] = (unsigned char)(state >> 20);
    shorts[i] = (short)(state >> 12);
    f[i] = (float)a[i] * 0.5f;
    g[i] = (float)b[i];
    d[i] = (double)a[i] * 0.25;
  }
  for (int i = 0; i < kSide * kSide; i++) left[i] = d[i], right[i] = d[i + 3];
}

static void multiply(void) {
  for (int i = 0; i < kSide; i++)
    for (int j = 0; j < kSide; j++) {
      double sum = 0;
      for (int k = 0; k < kSide; k++) sum += left[i * kSide + k] * right[k * kSide + j];
      product[i * kSide + j] = sum;
    }
}

static long work(void) {
  fill();
  multiply();
  for (int i = 0; i < kCount; i++) f[i] = f[i] * 1.5f + g[i];
  for (int i = 0; i < kCount; i++) d[i] = d[i] > 0 ? d[i] : -d[i];
  for (int i = 0; i < kCount; i++) b[i] = a[places[i]] + (bytes[i] << 2) - shorts[i];
  for (int i = 0; i < kCount; i++) a[i] = b[i] > a[i] ? b[i] ^ a[i] : b[i] & a[i];
  for (int i = 0; i < kCount; i++)
    bytes[i] = (unsigned char)((bytes[i] + bytes[kCount - 1 - i] + 1) >> 1);
  long sum = 0;
  for (int i = 0; i < kCount; i++) sum += a[i] + bytes[i] + (long)(f[i] * 0.001f) + (long)d[i];
  int most = a[0];
  for (int i = 1; i < kCount; i++) most = a[i] > most ? a[i] : most;
  for (int i = 0; i < kSide * kSide; i++) sum += (long)(product[i] * 0.001);
  return sum + most;
}
