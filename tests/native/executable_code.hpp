// The code of a program or library on this machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bops::native {

/// The bytes of each executable section of the 64-bit ELF file at `path`; none if there is no such
/// file or it is something else.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> executable_sections(const std::string& path);

}  // namespace bops::native
