#include "platform/demangle.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

namespace bops {
namespace {

/// Longer names stay mangled. That bounds damaged ones; one that is made for it still doubles with
/// each of its back references, and libstdc++ offers no limit on what it writes.
constexpr std::size_t kLongestSymbol = 4096;
/// Rust's legacy mangling ends each path in "h" and 16 hexadecimal digits (rustc,
/// symbol_mangling/legacy.rs), which __cxa_demangle shows as a last component.
constexpr std::size_t kRustHashSize = 17;

std::string cxx_demangled(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &std::free);
  return name && status == 0 ? name.get() : symbol;
}

bool is_rust_hash(std::string_view component) {
  return component.size() == kRustHashSize && component.front() == 'h' &&
         component.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// What Rust's legacy mangling puts in place of characters that symbols may not have.
void undo_rust_escapes(std::string& name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kEscapes{
      {{"$SP$", "@"},
       {"$BP$", "*"},
       {"$RF$", "&"},
       {"$LT$", "<"},
       {"$GT$", ">"},
       {"$LP$", "("},
       {"$RP$", ")"},
       {"$C$", ","},
       {"$u20$", " "},
       {"$u22$", "\""},
       {"$u27$", "'"},
       {"$u2b$", "+"},
       {"$u3b$", ";"},
       {"$u5b$", "["},
       {"$u5d$", "]"},
       {"$u7b$", "{"},
       {"$u7d$", "}"}}};
  replace_all(name, "::_$", "::$");  // no identifier begins with $
  if (name.starts_with("_$")) name.erase(0, 1);
  for (const auto& [escape, character] : kEscapes) replace_all(name, escape, character);
  replace_all(name, "..", "::");
}

}  // namespace

std::string demangled(std::string_view symbol) {
  const std::size_t version = std::min(symbol.find('@'), symbol.size());
  const std::string mangled(symbol.substr(0, version));
  if (!mangled.starts_with("_Z") || mangled.size() > kLongestSymbol) return std::string(symbol);
  std::string name = cxx_demangled(mangled);
  const std::size_t last = name.rfind("::");
  if (last != std::string::npos && is_rust_hash(std::string_view(name).substr(last + 2))) {
    name.resize(last);
    undo_rust_escapes(name);
  }
  return name.append(symbol.substr(version));
}

}  // namespace bops
