/* The child of a vfork leaves the engine; its parent goes on in the same memory. */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <sys/syscall.h>

#include "tests/native/programs/transcript.h"

static long word = 5;

int main(int argc, char** argv) {
  (void)argc;
  const pid_t child = vfork();
  if (child == 0) {
    syscall(SYS_arch_prctl, ARCH_SET_GS, &word);
    execv(argv[1], argv + 1);
    _exit(90);
  }
  wait_and_say("child", child);
  for (volatile int i = 0; i < 10000000; i++) continue;
  say("parent goes on");
  return 35;
}
