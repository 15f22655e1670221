#include "start.h"

static double a[64], b[64], c[64];

static long work(void) {
  for (int i = 0; i < 64; i++) {
    a[i] = i * 0.5;
    b[i] = 64 - i;
  }
  for (int round = 0; round < 20; round++)
    for (int i = 0; i < 64; i++) c[i] = a[i] + 3.0 * b[i] + c[i] / (1.0 + a[i]);
  double sum = 0;
  for (int i = 0; i < 64; i++) sum += c[i];
  return (long)sum;
}
