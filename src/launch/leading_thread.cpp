#include "launch/leading_thread.hpp"

#include "platform/procfs.hpp"

namespace bops {
namespace {

bool has_ended(pid_t tid) {
  const auto stat = read_process_stat(tid);
  return !stat || stat->state == 'Z' || stat->state == 'X';
}

}  // namespace

pid_t leading_thread(pid_t pid) {
  if (!has_ended(pid)) return pid;
  for (const pid_t tid : read_threads(pid))  // in the order in which they were made
    if (!has_ended(tid)) return tid;
  return pid;
}

}  // namespace bops
