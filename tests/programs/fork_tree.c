/* fork_tree N [WORK [DEPTH]]: N children at once, child i of 1..N doing i * WORK iterations and
 * having N children in turn, DEPTH levels in all. */
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argument.h"
#include "known_work.h"

static void grow(unsigned long count, uint64_t work, unsigned long depth) {
  if (depth == 0) return;
  for (unsigned long i = 1; i <= count; ++i) {
    const pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
      known_work(i * work);
      grow(count, work, depth - 1);
      _exit((int)(i % 100));
    }
  }
  unsigned long sum = 0;
  unsigned long expected = 0;
  for (unsigned long i = 1; i <= count; ++i) {
    int status = 0;
    require(wait(&status) > 0 && WIFEXITED(status), "wait");
    sum += (unsigned long)WEXITSTATUS(status);
    expected += i % 100;
  }
  require(sum == expected, "every child ended as it should");
}

int main(int argc, char** argv) {
  grow(number_argument(argc, argv, 1, 3), number_argument(argc, argv, 2, 1000),
       number_argument(argc, argv, 3, 1));
  return 0;
}
