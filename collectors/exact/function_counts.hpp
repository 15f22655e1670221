// Where in the images the counted instructions lie: block profiles to counts by function.
#pragma once

#include <string>
#include <vector>

#include "collectors/exact/block_counts.hpp"
#include "model/run_counts.hpp"
#include "platform/elf_symbols.hpp"

namespace bops::exact {

/// The functions that the run executed, by image and name. A block that runs across the end of a
/// function is divided between both. They sum to the run, and those of one image to the image.
/// Reads the files that were mapped, as they are now: code that is no longer in them, that no
/// symbol covers, or that lay in no file is "[unknown]" of its image.
[[nodiscard]] std::vector<FunctionCounts> count_functions(
    DecodedBlocks& blocks, const std::string& debug_root = std::string(kDebugRoot));

}  // namespace bops::exact
