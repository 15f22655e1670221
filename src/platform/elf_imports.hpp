// What an ELF file takes from shared libraries, and what it has in it.
#pragma once

#include <string>
#include <string_view>

namespace bops {

/// Whether the dynamic symbol table of the file has `symbol` undefined. False if the file cannot be
/// read or is static.
[[nodiscard]] bool elf_imports(const std::string& path, std::string_view symbol);

/// Whether the file has a section of that name. False if it cannot be read.
[[nodiscard]] bool elf_has_section(const std::string& path, std::string_view name);

}  // namespace bops
