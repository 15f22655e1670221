/* filtered NUMBER [PROGRAM]: installs a seccomp filter that forbids this system call, goes on, and
 * executes the program. NUMBER may be "address": the filter looks where calls are made. */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tests/native/programs/transcript.h"

static void* nothing(void* argument) {
  return argument;
}

int main(int argc, char** argv) {
  const int by_address = strcmp(argv[1], "address") == 0;
  const unsigned number = by_address ? 0xffff : (unsigned)atoi(argv[1]);
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, by_address
                                             ? offsetof(struct seccomp_data, instruction_pointer)
                                             : offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
  say_call("probe", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL));
  say_call("privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  say_call("filter", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
  for (int i = 0; i < 3; i++) {
    void* memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say("memory: %d", memory != MAP_FAILED);
  }
  pthread_t thread;
  say("thread: %d", pthread_create(&thread, NULL, nothing, NULL));
  pthread_join(thread, NULL);
  if (!by_address) say_call("forbidden", syscall(number, -1, 0, 0, 0, 0));
  if (argc > 2) execv(argv[2], argv + 2);
  return 34;
}
