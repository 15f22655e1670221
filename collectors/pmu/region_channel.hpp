// Where the threads of the target ask for their counters (region_area.h).
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <vector>

#include "collectors/pmu/thread_regions.hpp"
#include "model/error.hpp"
#include "platform/unique_fd.hpp"

namespace bops::pmu {

/// One for each bops process: its name is the process id. Never waits for a thread.
class RegionChannel {
 public:
  [[nodiscard]] static Result<std::unique_ptr<RegionChannel>> open();

  /// Readable whenever there is something to serve().
  [[nodiscard]] int descriptor() const { return ready_.get(); }

  /// What thread `tid` of process `pid` gets; without descriptors: nothing. That it is of this
  /// process is for the one who answers to check; that this process asks is sure.
  using Answer = std::function<RegionGrant(pid_t pid, pid_t tid)>;
  void serve(const Answer& answer);

 private:
  struct Connection {
    UniqueFd socket;
    pid_t pid;
  };
  RegionChannel(UniqueFd ready, UniqueFd listening, UniqueFd spare)
      : ready_(std::move(ready)), listening_(std::move(listening)), spare_(std::move(spare)) {}
  void accept_all();
  [[nodiscard]] bool refuse_one();

  UniqueFd ready_;  ///< epoll(7) over the others
  UniqueFd listening_;
  UniqueFd spare_;  ///< given up to refuse a thread when there are no descriptors left
  std::vector<Connection> connections_;  ///< that have not asked yet
};

}  // namespace bops::pmu
