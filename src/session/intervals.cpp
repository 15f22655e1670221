#include "session/intervals.hpp"

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

}  // namespace

IntervalRecord IntervalSeries::next(const RunCounts& counts, std::uint64_t now_ns) {
  IntervalRecord interval;
  interval.index = index_++;
  interval.start_ns = start_ns_;
  interval.end_ns = start_ns_ = now_ns;
  interval.quality = counts.quality;
  interval.totals = Counts::exact_zero();
  for (const ThreadCounts& thread : counts.threads) {
    const auto [entry, is_new] =
        before_.try_emplace({thread.pid, thread.tid, thread.start_ns}, Counts::exact_zero());
    if (!is_later(thread.counts, entry->second)) continue;  // its delta goes to a later interval
    ThreadCounts delta = thread;
    delta.counts -= entry->second;
    entry->second = thread.counts;
    if (delta.counts.instructions == InstructionCounts{}) continue;
    interval.totals += delta.counts;
    interval.threads.push_back(std::move(delta));
  }
  return interval;
}

}  // namespace bops
