// The story of `bops attach`: running processes, counted from now on.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "session/run_session.hpp"

namespace bops {

struct AttachRequest {
  std::vector<pid_t> pids;
  std::string
      cgroup;  ///< directory whose processes are counted, those that join later too; or empty
  std::optional<std::chrono::nanoseconds> duration;  ///< absent: until they end, or Ctrl-C
  std::string collector = "auto";
  bool with_kernel = false;
  bool redact = false;  ///< leave the processes' words out of every record
  std::map<std::string, std::string> labels;
  std::chrono::nanoseconds interval{0};  ///< 0: no interval records
};

/// The directory of a systemd unit's processes: "/sys/fs/cgroup/system.slice/NAME". Fails if there
/// is no such unit running.
[[nodiscard]] Result<std::string> cgroup_of_unit(const std::string& unit);

/// Counts the processes until the end that the request names, then leaves them as they are. Only
/// collectors that follow threads can. An error means that nothing was counted. `usage`, unless it
/// is null, writes usage records.
[[nodiscard]] Result<FinishedRun> attach_session(const AttachRequest& request,
                                                 Collectors collectors, const RunListener& listener,
                                                 UsageMeter* usage = nullptr);

}  // namespace bops
