/* crash: dies by SIGSEGV from a store to address 0, without a core file of its own. */
#include <sys/resource.h>

#include "argument.h"

int main(void) {
  const struct rlimit none = {0, 0};
  require(setrlimit(RLIMIT_CORE, &none) == 0, "setrlimit");
  volatile int* volatile nowhere = NULL;
  *nowhere = 1;
  return 0;
}
