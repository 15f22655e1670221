#include "start.h"

static long work(void) {
  unsigned long crc = ~0ul;
  unsigned char text[300];
  for (int i = 0; i < 300; i++) text[i] = (unsigned char)(i * 7);
  for (int i = 0; i < 300; i++) {
    crc ^= text[i];
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xc96c5795d7870f42ul & -(crc & 1));
  }
  return (long)(crc ^ (crc >> 32)) + (long)(crc % 1000003);
}
