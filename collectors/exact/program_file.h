/* What execve(2) would run for a file, seen from user space: an engine that loads programs itself
 * must resolve `#!` and refuse what it cannot load. Used by the launcher's side and inside the
 * target, hence C. */
#ifndef BOPS_COLLECTORS_EXACT_PROGRAM_FILE_H
#define BOPS_COLLECTORS_EXACT_PROGRAM_FILE_H

#include <linux/limits.h>

enum program_kind {
  PROGRAM_COUNTABLE,   /* an x86-64 ELF program, readable */
  PROGRAM_UNCOUNTABLE, /* execve would run it, an engine cannot; `reason` says why */
  PROGRAM_UNKNOWN,     /* neither ELF nor script: execve decides (binfmt_misc may know it) */
  PROGRAM_INVALID      /* execve itself would fail: leave it to execve to say so */
};

enum { PROGRAM_MAX_SCRIPTS = 5 /* nested `#!` that Linux follows, fs/exec.c */ };

struct program_file {
  enum program_kind kind;
  const char* reason;  /* a phrase: "it is a 32-bit program"; null if countable or invalid */
  char path[PATH_MAX]; /* of the ELF program: the file itself or the last interpreter */
  /* Words that replace argv[0], first to last: [interpreter, (argument,) script] for each `#!`,
   * outermost interpreter first. Empty if the file is no script. */
  int prefix_count;
  char* prefix[2 * PROGRAM_MAX_SCRIPTS + 1];
  char storage[PROGRAM_MAX_SCRIPTS * 512 + PATH_MAX];
};

/* Looks at `path` with the identity of the calling process. */
void program_file_resolve(struct program_file* file, const char* path);

#endif
