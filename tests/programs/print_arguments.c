/* Writes argv, each argument followed by NUL, to the file $PRINT_ARGUMENTS_FILE or to stdout. */
#include <string.h>

#include "argument.h"

int main(int argc, char** argv) {
  const char* path = getenv("PRINT_ARGUMENTS_FILE");
  FILE* file = path != NULL ? fopen(path, "w") : stdout;
  require(file != NULL, "open");
  for (int i = 0; i < argc; ++i)
    require(fwrite(argv[i], 1, strlen(argv[i]) + 1, file) == strlen(argv[i]) + 1, "write");
  require(fclose(file) == 0, "close");
  return 0;
}
