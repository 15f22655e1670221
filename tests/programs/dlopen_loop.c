/* dlopen_loop [K]: K times, loads libloaded.so from beside itself, calls into it and unloads it. */
#include <dlfcn.h>
#include <stdint.h>

#include "argument.h"

int main(int argc, char** argv) {
  const unsigned long times = number_argument(argc, argv, 1, 10);
  for (unsigned long i = 1; i <= times; ++i) {
    void* library = dlopen("libloaded.so", RTLD_NOW | RTLD_LOCAL); /* found by $ORIGIN */
    if (library == NULL) fprintf(stderr, "%s\n", dlerror());
    require(library != NULL, "dlopen");
    uint64_t (*work)(uint64_t) = (uint64_t(*)(uint64_t))(uintptr_t)dlsym(library, "loaded_work");
    require(work != NULL, "dlsym");
    require(work(1000) == 1000, "the loaded function");
    require(dlclose(library) == 0, "dlclose");
  }
  return 0;
}
