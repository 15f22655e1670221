// A shared library that is loaded when it is needed first: for those that bring so many others that
// every run of bops would take milliseconds longer if they were linked.
#pragma once

#include <string>

#include "model/error.hpp"

namespace bops {

/// Stays loaded until the process ends.
class SharedLibrary {
 public:
  /// `name`: as the dynamic linker knows it, e.g. libpq.so.5.
  explicit SharedLibrary(std::string name);

  /// Sets `function` to the one of that name. What is missing is told by complete().
  template <class Function>
  SharedLibrary& find(const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(symbol(name));
    return *this;
  }
  /// Whether the library is there, with all that was asked for; if not, the remedy is to install
  /// the Debian package `package`.
  [[nodiscard]] Result<void> complete(const std::string& package) const;

 private:
  [[nodiscard]] void* symbol(const char* name);

  std::string name_;
  void* handle_;
  std::string missing_;  ///< what the dynamic linker said
};

}  // namespace bops
