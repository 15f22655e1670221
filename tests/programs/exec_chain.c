/* exec_chain K [WORK]: works, then executes itself, K times; the last one exits with 0. */
#include <unistd.h>

#include "argument.h"
#include "known_work.h"

int main(int argc, char** argv) {
  const unsigned long left = number_argument(argc, argv, 1, 3);
  const uint64_t work = number_argument(argc, argv, 2, 1000);
  known_work(work);
  if (left == 0) return 0;
  char count[24];
  char amount[24];
  snprintf(count, sizeof(count), "%lu", left - 1);
  snprintf(amount, sizeof(amount), "%lu", (unsigned long)work);
  char* const next[] = {argv[0], count, amount, NULL};
  execv("/proc/self/exe", next);
  require(0, "execv");
}
