/* The library of dlopen_loop. */
#include "known_work.h"

uint64_t loaded_work(uint64_t iterations);

uint64_t loaded_work(uint64_t iterations) {
  known_work(iterations);
  return iterations;
}
