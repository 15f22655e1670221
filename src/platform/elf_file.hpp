// What an ELF file says of itself, through elfutils.
#pragma once

#include <string>

namespace bops {

/// The GNU build-id note in lower-case hex; empty if the file has none or cannot be read.
[[nodiscard]] std::string elf_build_id(const std::string& path);

}  // namespace bops
