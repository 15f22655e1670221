/* exec_ways WAY PROGRAM ARGS...: executes PROGRAM in an unusual way, or says why that failed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

static void execute_at(int directory, const char* path, char** arguments, int flags) {
  syscall(SYS_execveat, directory, path, arguments, environ, flags);
}

static int copy_into_memory(const char* program, unsigned flags) {
  int from = open(program, O_RDONLY | O_CLOEXEC), to = memfd_create("copy", flags);
  struct stat status;
  fstat(from, &status);
  sendfile(to, from, NULL, (size_t)status.st_size);
  close(from);
  return to;
}

static long address_space(void) {
  char text[64] = "";
  int fd = open("/proc/self/statm", O_RDONLY);
  if (read(fd, text, sizeof text - 1) < 0) return -1;
  close(fd);
  return atol(text);
}

/* As many arguments as make a vector that no small buffer holds, in a child that shares this
 * memory; again and again. */
static void execute_large(const char* program) {
  enum { MANY = 20000 };
  char** arguments = calloc(MANY + 1, sizeof *arguments);
  for (int i = 0; i < MANY; i++) arguments[i] = "x";
  volatile long size = 0;
  for (volatile int round = 0; round < 5; round++) {
    const pid_t child = vfork();
    if (child == 0) {
      execv(program, arguments);
      _exit(1);
    }
    int status;
    waitpid(child, &status, 0);
    if (round == 1) size = address_space();
    printf("status %d, no more memory: %d\n", WEXITSTATUS(status),
           round == 0 || address_space() == size);
  }
  exit(0);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const char* way = argv[1];
  char* program = argv[2];
  char** arguments = argv + 2;
  char copy[4096];
  if (!strcmp(way, "plain")) execv(program, arguments);
  if (!strcmp(way, "descriptor")) fexecve(open(program, O_RDONLY | O_CLOEXEC), arguments, environ);
  if (!strcmp(way, "open descriptor")) fexecve(open(program, O_RDONLY), arguments, environ);
  if (!strcmp(way, "memory")) fexecve(copy_into_memory(program, MFD_CLOEXEC), arguments, environ);
  if (!strcmp(way, "directory"))
    execute_at(open(dirname(strcpy(copy, program)), O_RDONLY | O_DIRECTORY), basename(program),
               arguments, 0);
  if (!strcmp(way, "closed directory"))
    execute_at(open(dirname(strcpy(copy, program)), O_PATH | O_CLOEXEC), basename(program),
               arguments, 0);
  if (!strcmp(way, "relative")) {
    if (chdir(dirname(strcpy(copy, program))) != 0) return 2;
    execv(basename(program), arguments);
  }
  if (!strcmp(way, "no link")) execute_at(AT_FDCWD, program, arguments, AT_SYMLINK_NOFOLLOW);
  if (!strcmp(way, "no arguments")) syscall(SYS_execve, program, NULL, environ);
  if (!strcmp(way, "no environment")) syscall(SYS_execve, program, arguments, NULL);
  if (!strcmp(way, "bad vector")) syscall(SYS_execve, program, (char**)8, environ);
  if (!strcmp(way, "bad string"))
    syscall(SYS_execve, program, ((char*[]){(char*)8, NULL}), environ);
  if (!strcmp(way, "bad path")) syscall(SYS_execve, (char*)8, arguments, environ);
  if (!strcmp(way, "bad flags")) execute_at(AT_FDCWD, program, arguments, 1);
  if (!strcmp(way, "empty path")) execute_at(0, "", arguments, 0);
  if (!strcmp(way, "large")) execute_large(program);
  if (!strcmp(way, "long argument")) {
    arguments[1] = calloc(1, 200000);
    memset(arguments[1], 'x', 199999);
    execv(program, arguments);
  }
  if (!strcmp(way, "new root")) {
    if (chroot(dirname(strcpy(copy, program))) != 0) return 2;
    sprintf(copy, "/%s", basename(strdup(program)));
    execv(copy, arguments);
  }
  if (!strcmp(way, "little address space")) {
    const struct rlimit limit = {2ul << 30, 2ul << 30};
    setrlimit(RLIMIT_AS, &limit);
    execv(program, arguments);
  }
  printf("%s\n", strerror(errno));
  return 1;
}
