/* regions_loaded LIBRARY: names a region by functions that it finds by their names at run time. */
#include <dlfcn.h>
#include <errno.h>

#include "argument.h"
#include "known_work.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  require(library != NULL, "dlopen");
  void (*begin)(const char*);
  void (*end)(void);
  void (*work)(const char*, uint64_t);
  *(void**)&begin = dlsym(library, "bops_region_begin");
  *(void**)&end = dlsym(library, "bops_region_end");
  *(void**)&work = dlsym(library, "bops_work");
  require(begin && end && work, "dlsym");
  errno = 4711;
  begin("loaded");
  known_work(1000);
  work("items", 2);
  work(NULL, 1);
  end();
  end(); /* of none */
  begin(NULL);
  end();
  require(errno == 4711, "errno is as it was");
  puts("done");
  return 0;
}
