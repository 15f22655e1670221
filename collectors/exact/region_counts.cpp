#include "collectors/exact/region_counts.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace bops::exact {
namespace {

/// The row of each context: those of one name in one thread share one.
struct Rows {
  std::vector<std::size_t> of_context;     // by place in profile.regions
  std::vector<std::size_t> first_context;  // by row
};

Rows rows_of(std::span<const BlockProfile::Region> regions) {
  std::map<std::pair<std::uint32_t, std::string_view>, std::size_t> known;
  Rows rows;
  for (std::size_t place = 0; place < regions.size(); ++place) {
    const auto [row, is_new] =
        known.try_emplace({regions[place].thread, regions[place].name}, rows.first_context.size());
    if (is_new) rows.first_context.push_back(place);
    rows.of_context.push_back(row->second);
  }
  return rows;
}

/// Which contexts no context of the same row is around. Parents stand before their children.
std::vector<bool> outermost_of_their_row(std::span<const BlockProfile::Region> regions,
                                         const Rows& rows) {
  std::unordered_map<std::uint32_t, std::size_t> place_of;  // by index
  std::vector<std::vector<std::size_t>> children(regions.size());
  struct Step {
    std::size_t context;
    bool leaves;
  };
  std::vector<Step> steps;
  for (std::size_t place = 0; place < regions.size(); ++place) {
    place_of.emplace(regions[place].index, place);
    if (regions[place].parent == BOPS_PROFILE_NONE)
      steps.push_back({place, false});
    else
      children[place_of.at(regions[place].parent)].push_back(place);
  }
  std::vector<std::size_t> open(rows.first_context.size());  // contexts on the path, by row
  std::vector<bool> outermost(regions.size());
  while (!steps.empty()) {
    const Step step = steps.back();
    steps.pop_back();
    std::size_t& open_of_row = open[rows.of_context[step.context]];
    if (step.leaves) {
      --open_of_row;
      continue;
    }
    outermost[step.context] = open_of_row++ == 0;
    steps.push_back({step.context, true});
    for (const std::size_t child : children[step.context]) steps.push_back({child, false});
  }
  return outermost;
}

}  // namespace

RegionCounter::RegionCounter(const BlockProfile& profile,
                             const std::map<std::uint32_t, BlockSum>& sums)
    : profile_(profile), contexts_(profile.regions.size()) {
  std::unordered_map<std::uint32_t, std::size_t> place_of;  // by index of a context
  for (std::size_t place = 0; place < profile.regions.size(); ++place)
    place_of.emplace(profile.regions[place].index, place);
  const auto part_of = [&](std::uint32_t index) -> Part& {
    const auto place = place_of.find(index);
    return place != place_of.end() ? contexts_[place->second] : threads_[index];
  };
  for (const auto& [index, sum] : sums) part_of(index).counts = sum.counts();
  for (const BlockProfile::Work& work : profile.work)
    part_of(work.thread).work[work.unit] += work.amount;
  // A context stands behind the one around it: from the last to the first, each is complete when it
  // is added.
  for (std::size_t place = profile.regions.size(); place-- > 0;) {
    const BlockProfile::Region& region = profile.regions[place];
    Part& around =
        region.parent == BOPS_PROFILE_NONE ? threads_[region.thread] : part_of(region.parent);
    around.counts += contexts_[place].counts;
    add_work(around.work, contexts_[place].work);
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
  std::unordered_map<std::uint32_t, const ThreadCounts*> thread_of;  // by index
  for (std::size_t place = 0; place < threads.size(); ++place)
    thread_of.emplace(profile_.threads[place].index, &threads[place]);
  const std::span<const BlockProfile::Region> contexts = profile_.regions;
  const Rows rows = rows_of(contexts);
  const std::vector<bool> outermost = outermost_of_their_row(contexts, rows);
  std::vector<RegionCounts> regions;
  for (const std::size_t first : rows.first_context) {
    const ThreadCounts& thread = *thread_of.at(contexts[first].thread);
    regions.push_back({contexts[first].name,
                       thread.pid,
                       thread.tid,
                       thread.start_ns,
                       0,
                       {},
                       Counts::exact_zero()});
  }
  for (std::size_t place = 0; place < contexts.size(); ++place) {
    RegionCounts& region = regions[rows.of_context[place]];
    region.entries += contexts[place].entries;
    if (!outermost[place]) continue;  // what is around it has it already
    region.counts += contexts_[place].counts;
    add_work(region.work, contexts_[place].work);
  }
  return regions;
}

}  // namespace bops::exact
