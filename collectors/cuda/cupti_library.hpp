// NVIDIA's profiling library, loaded when it is asked for: bops does not link it.
#pragma once

#include <string>

#include "model/error.hpp"

namespace bops::cuda {

/// A loaded libcupti. It stays loaded until the process ends: it does not survive dlclose(3).
class CuptiLibrary {
 public:
  /// $BOPS_CUPTI_LIBRARY if that is set, else what the dynamic linker finds, else the one that this
  /// build was made with.
  [[nodiscard]] static Result<CuptiLibrary> open();

  [[nodiscard]] const std::string& path() const { return path_; }  ///< absolute
  /// The function of that name, null if the library lacks it.
  template <class Function>
  [[nodiscard]] Function* function(const char* name) const {
    return reinterpret_cast<Function*>(symbol(name));
  }

 private:
  CuptiLibrary(void* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  [[nodiscard]] void* symbol(const char* name) const;

  void* handle_;
  std::string path_;
};

}  // namespace bops::cuda
