// What an ELF file takes from shared libraries, and what it has in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bops {

/// Whether the dynamic symbol table of the file has `symbol` undefined. False if the file cannot be
/// read or is static.
[[nodiscard]] bool elf_imports(const std::string& path, std::string_view symbol);

/// Whether a static program of x86-64 has code that makes the system call `number`: a function of
/// the name `symbol`, or, stripped of its names, an instruction that loads the number shortly
/// before a `syscall`. What else might load it, and calls by other ways, make this a guess.
[[nodiscard]] bool static_program_calls(const std::string& path, std::string_view symbol,
                                        std::uint32_t number);

/// Whether the file has a section of that name. False if it cannot be read.
[[nodiscard]] bool elf_has_section(const std::string& path, std::string_view name);

}  // namespace bops
