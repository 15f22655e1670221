// Finds the separate debug file of a stripped ELF file. Room-internal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/elf_image.hpp"

namespace bops {

/// `path` is where `image` was read from. By build-id below `debug_root`, else by the name in
/// .gnu_debuglink (GDB manual, "Debugging Information in Separate Files"). Only a file of the same
/// build is taken: the build-ids are equal or, where the file has none, the checksum is the one
/// that .gnu_debuglink states.
[[nodiscard]] std::optional<ElfImage> open_debug_file(const ElfImage& image,
                                                      const std::string& path,
                                                      std::string_view debug_root);

}  // namespace bops
