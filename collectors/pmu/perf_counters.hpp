// Counters of threads through perf_event_open(2) itself.
#pragma once

#include <vector>

#include "collectors/pmu/event_table.hpp"
#include "collectors/pmu/sampler.hpp"
#include "collectors/pmu/thread_counters.hpp"

namespace bops::pmu {

/// One raw group for each group of each event set on every thread; on hybrid CPUs, whose sets count
/// on one kind of core each, the sets are summed. A group that stands alone in its set is pinned:
/// it counts all the time, or is lost. Several groups take turns, and are scaled.
///
/// The kernel tells that a pinned group was lost only while its thread lives. So that new threads
/// need not stop before they end, each has one event more: the witness, which counts nothing, and
/// is never lost. A group that was enabled for less time than the witness was lost.
class PerfCounters final : public ThreadCounters {
 public:
  /// With a sampler, which outlives it, what is opened for single threads samples.
  PerfCounters(std::vector<EventSet> sets, bool with_kernel, Sampler* sampler = nullptr);

  [[nodiscard]] Result<std::unique_ptr<OpenCounters>> open(pid_t tid, Start start) override;
  [[nodiscard]] bool starts_on_exec() const override { return true; }
  [[nodiscard]] bool reads_running_threads() const override { return true; }

  /// Counters of a process that is still before its execve(2), which all its children inherit:
  /// their sum, threads and processes that have ended included.
  [[nodiscard]] Result<std::unique_ptr<OpenCounters>> open_tree(pid_t root);

 private:
  std::vector<EventSet> sets_;
  bool with_kernel_;
  bool has_witnesses_;
  Sampler* sampler_;
};

/// Whether a group lost its counters, which was enabled for `enabled_ns`, and its witness for
/// `witnessed_ns`.
[[nodiscard]] bool was_lost(std::uint64_t enabled_ns, std::uint64_t witnessed_ns);

/// Raises the soft limit of open files to the hard one while it lives: threads need descriptors. To
/// be made once the target has been forked, which has its limits from bops.
class DescriptorLimit {
 public:
  DescriptorLimit();
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit();

 private:
  std::uint64_t before_ = 0;  ///< 0: it was not raised
};

}  // namespace bops::pmu
