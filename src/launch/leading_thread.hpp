// The thread by which a process is known to be stopped. Room-internal.
#pragma once

#include <sys/types.h>

namespace bops {

/// The first thread of the process `pid`; once that has ended while others go on (pthread_exit(3)
/// in main), the first of those. Of a process that is gone, `pid`.
[[nodiscard]] pid_t leading_thread(pid_t pid);

}  // namespace bops
