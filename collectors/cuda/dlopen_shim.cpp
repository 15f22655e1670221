// Sanitizer builds alone. libcupti loads libnvperf_host.so with RTLD_DEEPBIND, at which the
// sanitizers' runtime ends the process (github.com/google/sanitizers/issues/611). This takes the
// flag away: what is loaded then calls the sanitizers' malloc like everything else.
#include <dlfcn.h>

/// The linker is told to look for this name: it takes dlopen itself from the sanitizers' runtime,
/// and would leave this file in its archive.
extern "C" {
extern const char bops_dlopen_shim;
const char bops_dlopen_shim = 0;
}

extern "C" void* dlopen(const char* file, int mode) noexcept {
  using Open = void* (*)(const char*, int);
  static const auto open = reinterpret_cast<Open>(::dlsym(RTLD_NEXT, "dlopen"));
  return open(file, mode & ~RTLD_DEEPBIND);
}
