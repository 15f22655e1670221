// Names of functions as their programmers wrote them.
#pragma once

#include <string>
#include <string_view>

namespace bops {

/// The demangled name of a C++ (Itanium ABI) or Rust (legacy) symbol, Rust's hash left out; any
/// other symbol, Rust v0's included, as it is. A version or `@plt` behind the symbol stays.
[[nodiscard]] std::string demangled(std::string_view symbol);

}  // namespace bops
