#include "collectors/cuda/cupti_library.hpp"

#include <dlfcn.h>
#include <link.h>

#include <cstdlib>
#include <vector>

namespace bops::cuda {
namespace {

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

/// libcupti loads libnvperf_host.so by its name alone, and finds it if it is loaded already.
void load_host_library(const std::string& cupti) {
  if (cupti.find('/') == std::string::npos) return;
  ::dlopen((directory_of(cupti) + "/libnvperf_host.so").c_str(), RTLD_NOW | RTLD_LOCAL);
}

std::string path_of(void* handle, const std::string& otherwise) {
  const link_map* map = nullptr;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || map->l_name[0] == '\0') return otherwise;
  return map->l_name;
}

std::vector<std::string> candidates() {
  if (const char* named = std::getenv("BOPS_CUPTI_LIBRARY"); named != nullptr && *named != '\0')
    return {named};
  std::vector<std::string> names{BOPS_CUPTI_SONAME};
  if (std::string(BOPS_CUPTI_PATH) != "") names.emplace_back(BOPS_CUPTI_PATH);
  return names;
}

}  // namespace

Result<CuptiLibrary> CuptiLibrary::open() {
  std::string why;
  for (const std::string& name : candidates()) {
    load_host_library(name);
    if (void* handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      const std::string path = path_of(handle, name);
      load_host_library(path);
      return CuptiLibrary(handle, path);
    }
    why = ::dlerror();
  }
  return failure("NVIDIA's profiling library (libcupti) cannot be loaded: " + why,
                 "install CUPTI of the CUDA toolkit, or name it in BOPS_CUPTI_LIBRARY");
}

void* CuptiLibrary::symbol(const char* name) const {
  return ::dlsym(handle_, name);
}

}  // namespace bops::cuda
