// The program behind a script.
#pragma once

#include <string>

namespace bops {

/// The file that execve(2) would load for `executable`: the file itself, or the last interpreter of
/// its `#!` lines (at most five, fs/exec.c of Linux), symbolic links resolved. A path that cannot
/// be read or resolved is given back as it is: whoever executes it says best what is wrong.
[[nodiscard]] std::string program_behind(const std::string& executable);

}  // namespace bops
