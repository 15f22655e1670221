// Where bops keeps what outlives a process of it: the counts of runs, and what it found out about
// the machine.
#pragma once

#include <string>

#include "model/error.hpp"

namespace bops {

/// $BOPS_STATE_DIR; else bops-UID in /dev/shm, where it is memory, or else in $TMPDIR or /tmp. Made
/// with mode 0700 if missing; refused if it is another user's.
[[nodiscard]] Result<std::string> state_directory();

}  // namespace bops
