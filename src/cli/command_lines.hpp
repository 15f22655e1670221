// Files with a command line on each line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/error.hpp"

namespace bops {

/// The words of one line, divided at spaces and tabs. 'single' and "double" quotes and a backslash
/// keep what they cover together; nothing is expanded. Fails if a quote is left open.
[[nodiscard]] Result<std::vector<std::string>> split_words(std::string_view line);

/// The commands of a text, one on each line; empty lines and those that start with # are passed
/// over. Errors name the line.
[[nodiscard]] Result<std::vector<std::vector<std::string>>> split_commands(std::string_view text);

}  // namespace bops
