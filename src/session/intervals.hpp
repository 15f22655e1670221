// From snapshots to the deltas of --interval.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "model/run_record.hpp"

namespace bops {

/// Makes interval records that sum to the run: every count is in exactly one of them.
class IntervalSeries {
 public:
  /// The interval from the end of the one before to `now_ns` since the start of the run.
  [[nodiscard]] IntervalRecord next(const RunCounts& counts, std::uint64_t now_ns);

 private:
  using ThreadKey = std::tuple<pid_t, pid_t, std::uint64_t>;  // pid, tid, start: ids recur
  struct State {
    Counts counts = Counts::exact_zero();
    Work work{};
  };
  std::map<ThreadKey, State> before_;
  struct GpuState {
    std::uint64_t launches = 0;
    std::uint64_t counted = 0;
    std::uint64_t dropped = 0;
    GpuCounts counts{};
  };
  [[nodiscard]] static GpuDeviceCounts added(const GpuDeviceCounts& now, const GpuState& before);

  std::map<std::string, GpuState> gpus_before_;  ///< by GPU and what is collected on it
  std::uint64_t index_ = 0;
  std::uint64_t start_ns_ = 0;
};

}  // namespace bops
