// Where other programs and bops's own files lie.
#pragma once

#include <optional>
#include <string>

namespace bops {

/// Absolute path of a program in this process's PATH, or in the system's default path without one.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name);

/// Absolute path of a file that belongs to bops and is loaded at run time, relative to the running
/// executable: lib/bops/ beside it (build tree) or in ../lib*/bops (installed).
[[nodiscard]] std::optional<std::string> find_library_file(const std::string& name);

/// As find_library_file(), of a file that is read: share/bops/ beside the executable (build tree)
/// or in ../share/bops (installed).
[[nodiscard]] std::optional<std::string> find_data_file(const std::string& name);

}  // namespace bops
