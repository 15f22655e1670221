/* Executes more blocks of code than fit a small cache. */
#include <sys/mman.h>

#include "tests/native/programs/transcript.h"

int main(void) {
  enum { BLOCKS = 200000 };
  unsigned char* code =
      mmap(NULL, 2 * BLOCKS + 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(code != MAP_FAILED, "mmap");
  memcpy(code, "\xb8\x2a\0\0\0", 5); /* mov eax, 42 */
  for (int i = 0; i < BLOCKS; i++) memcpy(code + 5 + 2 * i, "\xeb\0", 2);
  code[5 + 2 * BLOCKS] = 0xc3;
  must(mprotect(code, 2 * BLOCKS + 8, PROT_READ | PROT_EXEC) == 0, "mprotect");
  say("%d", ((int (*)(void))code)());
  return 36;
}
