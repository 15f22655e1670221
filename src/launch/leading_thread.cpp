#include "launch/leading_thread.hpp"

#include "platform/procfs.hpp"

namespace bops {

pid_t leading_thread(pid_t pid) {
  if (!has_ended(pid)) return pid;
  for (const pid_t tid : read_threads(pid))  // in the order in which they were made
    if (!has_ended(tid)) return tid;
  return pid;
}

}  // namespace bops
