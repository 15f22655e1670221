#include "collectors/exact/region_counts.hpp"

#include <utility>

namespace bops::exact {

RegionCounter::RegionCounter(const BlockProfile& profile,
                             const std::map<std::uint32_t, BlockSum>& sums) {
  std::unordered_map<std::uint32_t, std::size_t> thread_at;  // place in profile.threads by index
  for (std::size_t place = 0; place < profile.threads.size(); ++place)
    thread_at.emplace(profile.threads[place].index, place);
  std::unordered_map<std::uint32_t, std::size_t> context_at;  // by index
  for (const BlockProfile::Region& region : profile.regions) {
    RegionContext context;
    context.thread = thread_at.at(region.thread);
    if (region.parent != BOPS_PROFILE_NONE) context.parent = context_at.at(region.parent);
    context.name = region.name;
    context.entries = region.entries;
    context.counts = Counts::exact_zero();
    context_at.emplace(region.index, contexts_.size());
    contexts_.push_back(std::move(context));
  }
  for (const auto& [index, sum] : sums) {
    const auto context = context_at.find(index);
    (context != context_at.end() ? contexts_[context->second].counts : threads_[index].counts) =
        sum.counts();
  }
  for (const BlockProfile::Work& work : profile.work) {
    const auto context = context_at.find(work.thread);
    Work& sum =
        context != context_at.end() ? contexts_[context->second].work : threads_[work.thread].work;
    sum[work.unit] += work.amount;
  }
  include_nested(contexts_);
  for (const RegionContext& context : contexts_) {
    if (context.parent) continue;
    Part& thread = threads_[profile.threads[context.thread].index];
    thread.counts += context.counts;
    add_work(thread.work, context.work);
  }
}

Counts RegionCounter::thread_counts(std::uint32_t index) const {
  const auto thread = threads_.find(index);
  return thread != threads_.end() ? thread->second.counts : Counts::exact_zero();
}

Work RegionCounter::thread_work(std::uint32_t index) const {
  const auto thread = threads_.find(index);
  return thread != threads_.end() ? thread->second.work : Work{};
}

std::vector<RegionCounts> RegionCounter::regions(std::span<const ThreadCounts> threads) const {
  return regions_of(contexts_, threads);
}

}  // namespace bops::exact
