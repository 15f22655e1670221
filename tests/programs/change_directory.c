/* change_directory DIRECTORY: goes there, makes "deeper", goes into it and writes "was_here". */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "argument.h"
#include "known_work.h"

int main(int argc, char** argv) {
  require(argc == 2 && chdir(argv[1]) == 0, "chdir");
  require(mkdir("deeper", 0700) == 0, "mkdir");
  require(chdir("deeper") == 0, "chdir deeper");
  known_work(100000);
  char path[4096];
  require(getcwd(path, sizeof(path)) != NULL, "getcwd");
  require(strcmp(strrchr(path, '/'), "/deeper") == 0, "name of the directory");
  FILE* file = fopen("was_here", "w");
  require(file != NULL && fclose(file) == 0, "write");
  require(chdir("/") == 0, "chdir /");
  return 0;
}
