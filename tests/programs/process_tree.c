/* process_tree DEPTH BRANCHES: BRANCHES children, one after the other, by fork and vfork in turn;
 * each executes this program again, one level lower. DEPTH 3 and 4 BRANCHES are 85 processes. */
#define _GNU_SOURCE
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argument.h"

int main(int argc, char** argv) {
  const unsigned long depth = number_argument(argc, argv, 1, 3);
  const unsigned long branches = number_argument(argc, argv, 2, 4);
  if (depth == 0) return 0;
  char lower[32];
  char width[32];
  snprintf(lower, sizeof(lower), "%lu", depth - 1);
  snprintf(width, sizeof(width), "%lu", branches);
  char* const next[] = {argv[0], lower, width, NULL};
  for (unsigned long i = 0; i < branches; ++i) {
    const pid_t child = i % 2 != 0 ? vfork() : fork();
    if (child == 0) {
      execv("/proc/self/exe", next);
      _exit(1);
    }
    int status = 0;
    require(child > 0 && waitpid(child, &status, 0) == child && status == 0, "waitpid");
  }
  return 0;
}
