// The measured programs that were built, in the folder workloads/ beside this program.
#pragma once

#include <string>
#include <vector>

namespace bops::workloads {

/// "gcc-reference", "clang-O2", ..., sorted; empty if the folder cannot be read.
[[nodiscard]] std::vector<std::string> built_builds();

/// Path of the program of a build, whether or not it exists.
[[nodiscard]] std::string program_of_build(const std::string& build);

}  // namespace bops::workloads
