// From the words of the command line to the file that will be executed.
#pragma once

#include <string>
#include <vector>

#include "model/collector.hpp"

namespace bops {

/// Finds the file of the command `arguments[0]` as execvp(3) does: a name with a slash is a path;
/// any other is looked for in the PATH of `environment`, in which an empty element is the current
/// directory, or in the system's default path if there is no PATH. Files that may not be executed
/// are passed over, but remembered for the error. Unlike execvp, a file without a `#!` line is
/// never handed to a shell, and the search does not go on after a file whose interpreter is
/// missing.
///
/// The plan's executable is absolute, its symbolic links unresolved; argv[0] stays as it is. A
/// script is itself the executable. Fails with kNotFound if there is no such file, with
/// kNotExecutable if it cannot be executed, with kRefused if there is no command or no current
/// directory.
[[nodiscard]] Result<LaunchPlan> resolve_command(std::vector<std::string> arguments,
                                                 std::vector<std::string> environment);

}  // namespace bops
