// Why a program cannot be executed, in a sentence and a remedy.
#pragma once

#include <string>

#include "model/error.hpp"

namespace bops {

/// The Error for `error`, an errno of execve(2), or EISDIR for a directory. kNotFound for ENOENT,
/// also if it is the interpreter that is missing; kRefused if a resource ran out; else
/// kNotExecutable.
[[nodiscard]] Error exec_error(const std::string& path, int error);

/// The Error for a command name without a slash that no directory of PATH has: kNotFound.
[[nodiscard]] Error not_in_path(const std::string& name);

}  // namespace bops
