/* stop_self: says "stopping", stops itself, says "continued" and exits with 5. */
#include <signal.h>
#include <unistd.h>

#include "argument.h"

static void say(const char* word, size_t length) {
  require(write(1, word, length) == (ssize_t)length, "write");
}

int main(void) {
  say("stopping\n", 9);
  raise(SIGSTOP);
  say("continued\n", 10);
  return 5;
}
