/* own_process_group [session]: leads a group (or session) of its own, then works. */
#include <unistd.h>

#include "argument.h"
#include "known_work.h"

int main(int argc, char** argv) {
  (void)argv;
  if (argc > 1)
    require(setsid() == getpid(), "setsid");
  else
    require(setpgid(0, 0) == 0, "setpgid");
  require(getpgrp() == getpid(), "leads its group");
  known_work(100000);
  return 0;
}
