// What an ELF file takes from shared libraries.
#pragma once

#include <string>
#include <string_view>

namespace bops {

/// Whether the dynamic symbol table of the file has `symbol` undefined. False if the file cannot be
/// read or is static.
[[nodiscard]] bool elf_imports(const std::string& path, std::string_view symbol);

}  // namespace bops
