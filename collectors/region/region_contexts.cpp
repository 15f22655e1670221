#include "collectors/region/region_contexts.hpp"

#include <map>
#include <string_view>
#include <utility>

namespace bops {
namespace {

/// The row of each context: those of one name in one thread share one.
struct Rows {
  std::vector<std::size_t> of_context;
  std::vector<std::size_t> first_context;  // by row
};

Rows rows_of(std::span<const RegionContext> contexts) {
  std::map<std::pair<std::size_t, std::string_view>, std::size_t> known;
  Rows rows;
  for (std::size_t place = 0; place < contexts.size(); ++place) {
    const auto [row, is_new] = known.try_emplace({contexts[place].thread, contexts[place].name},
                                                 rows.first_context.size());
    if (is_new) rows.first_context.push_back(place);
    rows.of_context.push_back(row->second);
  }
  return rows;
}

/// Which contexts no context of the same row is around. Parents stand before their children.
std::vector<bool> outermost_of_their_row(std::span<const RegionContext> contexts,
                                         const Rows& rows) {
  std::vector<std::vector<std::size_t>> children(contexts.size());
  struct Step {
    std::size_t context;
    bool leaves;
  };
  std::vector<Step> steps;
  for (std::size_t place = 0; place < contexts.size(); ++place) {
    if (contexts[place].parent)
      children[*contexts[place].parent].push_back(place);
    else
      steps.push_back({place, false});
  }
  std::vector<std::size_t> open(rows.first_context.size());  // contexts on the path, by row
  std::vector<bool> outermost(contexts.size());
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

void include_nested(std::vector<RegionContext>& contexts) {
  // From the last to the first, each is complete when it is added.
  for (std::size_t place = contexts.size(); place-- > 0;) {
    const RegionContext& context = contexts[place];
    if (!context.parent) continue;
    RegionContext& around = contexts[*context.parent];
    around.counts += context.counts;
    around.counted &= context.counted;
    add_work(around.work, context.work);
  }
}

std::vector<RegionCounts> regions_of(std::span<const RegionContext> contexts,
                                     std::span<const ThreadCounts> threads) {
  const Rows rows = rows_of(contexts);
  const std::vector<bool> outermost = outermost_of_their_row(contexts, rows);
  std::vector<RegionCounts> regions;
  for (const std::size_t first : rows.first_context) {
    const ThreadCounts& thread = threads[contexts[first].thread];
    RegionCounts region;
    region.name = contexts[first].name;
    region.pid = thread.pid;
    region.tid = thread.tid;
    region.thread_start_ns = thread.start_ns;
    region.counts = Counts::exact_zero();
    regions.push_back(std::move(region));
  }
  for (std::size_t place = 0; place < contexts.size(); ++place) {
    RegionCounts& region = regions[rows.of_context[place]];
    region.entries += contexts[place].entries;
    if (!outermost[place]) continue;  // what is around it has it already
    region.counts += contexts[place].counts;
    region.counted &= contexts[place].counted;
    add_work(region.work, contexts[place].work);
  }
  return regions;
}

}  // namespace bops
