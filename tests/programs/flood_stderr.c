/* flood_stderr [MEBIBYTES]: lines of 64 bytes to stderr, unbuffered by stdio. */
#include <string.h>
#include <unistd.h>

#include "argument.h"

int main(int argc, char** argv) {
  static char block[65536];
  memset(block, 'x', sizeof(block));
  for (size_t i = 63; i < sizeof(block); i += 64) block[i] = '\n';
  size_t left = number_argument(argc, argv, 1, 4) << 20;
  while (left > 0) {
    const ssize_t written = write(2, block, left < sizeof(block) ? left : sizeof(block));
    require(written > 0, "write");
    left -= (size_t)written;
  }
  return 0;
}
