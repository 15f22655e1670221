// From the contexts of a profile to regions.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "collectors/exact/block_counts.hpp"
#include "collectors/region/region_contexts.hpp"
#include "model/run_counts.hpp"

namespace bops::exact {

/// The regions and the work of one profile, whose counts are known by index of thread or context.
class RegionCounter {
 public:
  /// `sums` has what ran under each index itself; an index without any may be absent.
  RegionCounter(const BlockProfile& profile, const std::map<std::uint32_t, BlockSum>& sums);

  /// Of a thread with all its contexts.
  [[nodiscard]] Counts thread_counts(std::uint32_t index) const;
  [[nodiscard]] Work thread_work(std::uint32_t index) const;

  /// A row for each name of each thread, in the order of their first contexts. The fields that name
  /// the thread are `threads`', which belong to profile.threads one by one.
  [[nodiscard]] std::vector<RegionCounts> regions(std::span<const ThreadCounts> threads) const;

 private:
  struct Part {
    Counts counts = Counts::exact_zero();
    Work work;
  };

  std::vector<RegionContext> contexts_;              // by place in profile.regions, nested included
  std::unordered_map<std::uint32_t, Part> threads_;  // by index, contexts included
};

}  // namespace bops::exact
