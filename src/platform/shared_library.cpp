#include "platform/shared_library.hpp"

#include <dlfcn.h>

#include <utility>

namespace bops {
namespace {

std::string last_error() {
  const char* const said = ::dlerror();
  return said != nullptr ? said : "unknown error";
}

}  // namespace

SharedLibrary::SharedLibrary(std::string name)
    : name_(std::move(name)), handle_(::dlopen(name_.c_str(), RTLD_LAZY | RTLD_LOCAL)) {
  if (handle_ == nullptr) missing_ = last_error();
}

void* SharedLibrary::symbol(const char* name) {
  if (handle_ == nullptr) return nullptr;
  void* const found = ::dlsym(handle_, name);
  if (found == nullptr && missing_.empty()) missing_ = last_error();
  return found;
}

Result<void> SharedLibrary::complete(const std::string& package) const {
  if (missing_.empty()) return {};
  return failure("cannot load " + name_ + ": " + missing_, "install " + package);
}

}  // namespace bops
