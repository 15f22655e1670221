#include "session/intervals.hpp"

#include <utility>

namespace bops {
namespace {

bool is_at_least(const Operations& a, const Operations& b) {
  return a.integer >= b.integer && a.floating_point >= b.floating_point && a.address >= b.address;
}

bool is_at_least(const InstructionCounts& a, const InstructionCounts& b) {
  return a.total >= b.total && a.loads >= b.loads && a.stores >= b.stores &&
         a.branches >= b.branches;
}

/// An exact engine counts a block at its entry and takes the rest back if a fault cuts it short, so
/// a snapshot in between may be ahead of the next one by a few instructions.
bool is_later(const Counts& now, const Counts& before) {
  return is_at_least(now.instructions, before.instructions) &&
         (!now.operations || !before.operations ||
          is_at_least(*now.operations, *before.operations));
}

/// What was added to each unit since `before`.
Work added_work(const Work& now, const Work& before) {
  Work added;
  for (const auto& [unit, amount] : now) {
    const auto earlier = before.find(unit);
    const std::uint64_t known = earlier != before.end() ? earlier->second : 0;
    if (amount > known) added.emplace(unit, amount - known);
  }
  return added;
}

/// A GPU has a row for each choice of metrics that was collected on it.
std::string key_of(const GpuDeviceCounts& gpu) {
  std::string key = gpu.uuid;
  for (const GpuMetricSet& set : gpu.sets)
    for (const std::string& metric : set.metrics) key += ' ' + metric;
  return key;
}

}  // namespace

GpuDeviceCounts IntervalSeries::added(const GpuDeviceCounts& now, const GpuState& before) {
  GpuDeviceCounts delta = now;
  delta.kernels.clear();
  delta.regions.clear();
  delta.launches -= before.launches;
  delta.counted -= before.counted;
  delta.dropped -= before.dropped;
  delta.counts -= before.counts;
  if (delta.counted == 0) {
    delta.counts = {};
    delta.quality = Quality::kMissing;
  }
  return delta;
}

IntervalRecord IntervalSeries::next(const RunCounts& counts, std::uint64_t now_ns) {
  IntervalRecord interval;
  interval.index = index_++;
  interval.start_ns = start_ns_;
  interval.end_ns = start_ns_ = now_ns;
  interval.quality = counts.quality;
  interval.totals = Counts::exact_zero();
  for (const ThreadCounts& thread : counts.threads) {
    State& before = before_[{thread.pid, thread.tid, thread.start_ns}];
    if (!is_later(thread.counts, before.counts)) continue;  // its delta goes to a later interval
    ThreadCounts delta = thread;
    delta.counts -= before.counts;
    delta.work = added_work(thread.work, before.work);
    before = {thread.counts, thread.work};
    if (delta.counts.instructions == InstructionCounts{} && delta.work.empty()) continue;
    interval.totals += delta.counts;
    interval.threads.push_back(std::move(delta));
  }
  for (const GpuDeviceCounts& gpu : counts.gpus) {
    GpuState& before = gpus_before_[key_of(gpu)];
    GpuDeviceCounts delta = added(gpu, before);
    before = {gpu.launches, gpu.counted, gpu.dropped, gpu.counts};
    if (delta.launches > 0 || delta.counted > 0 || delta.dropped > 0)
      interval.gpus.push_back(std::move(delta));
  }
  return interval;
}

}  // namespace bops
