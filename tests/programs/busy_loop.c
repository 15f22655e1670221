/* busy_loop [N]: N iterations, or for ever. */
#include "argument.h"
#include "known_work.h"

int main(int argc, char** argv) {
  const uint64_t iterations = number_argument(argc, argv, 1, 0);
  if (iterations > 0) {
    known_work(iterations);
    return 0;
  }
  for (;;) known_work(1000000);
}
