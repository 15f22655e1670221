/* Numbers from the command line; a program given nonsense exits with 2. */
#ifndef BOPS_TESTS_PROGRAMS_ARGUMENT_H
#define BOPS_TESTS_PROGRAMS_ARGUMENT_H

#include <stdio.h>
#include <stdlib.h>

static inline unsigned long number_argument(int argc, char** argv, int index,
                                            unsigned long otherwise) {
  if (index >= argc) return otherwise;
  char* end = NULL;
  const unsigned long number = strtoul(argv[index], &end, 10);
  if (end == argv[index] || *end != '\0') {
    fprintf(stderr, "%s: not a number: %s\n", argv[0], argv[index]);
    exit(2);
  }
  return number;
}

/* A check that failed: the program did not behave as it promises. */
static inline void require(int good, const char* what) {
  if (good) return;
  perror(what);
  exit(1);
}

#endif
