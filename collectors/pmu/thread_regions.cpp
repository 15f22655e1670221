#include "collectors/pmu/thread_regions.hpp"

#include <utility>

#include "collectors/pmu/shared_groups.hpp"
#include "collectors/region/region_protocol.h"
#include "platform/elf_imports.hpp"

namespace bops::pmu {
namespace {

/// Adds what the thread has done since it last read its counters.
void add_rest(bops_region_values& sum, const bops_region_values& now,
              const bops_region_values& last) {
  for (std::size_t group = 0; group < BOPS_REGION_MAX_GROUPS; ++group)
    for (std::size_t word = 0; word < BOPS_REGION_MAX_WORDS; ++word)
      sum.word[group][word] += now.word[group][word] - last.word[group][word];
}

std::string reason_of(const RegionState& state, const OpenCounters* counters, bool was_granted) {
  if (counters == nullptr) return "the threads themselves were not counted";
  if (counters->shared() == nullptr)
    return "their counters are held by PAPI, and no thread can read those itself; count with "
           "--collector perf";
  if (was_granted && !state.taken)
    return "they could not take their counters: the program has as many descriptors, or as much "
           "memory, as it may";
  if (state.lost)
    return "they could not read their counters: the program closed their descriptors or has as "
           "many as it may (ulimit -n), or another user of the counters took them";
  return {};
}

}  // namespace

bool names_regions(const std::string& program) {
  return elf_imports(program, "bops_region_begin") ||
         elf_has_section(program, BOPS_REGION_NOTE_SECTION);
}

Result<RegionGrant> ThreadRegions::grant(pid_t tid, const OpenCounters* counters) {
  std::vector<SharedGroups::Group> groups;
  if (counters != nullptr && counters->shared() != nullptr) groups = counters->shared()->groups();
  if (area_ == nullptr) {
    std::vector<std::uint32_t> words;
    words.reserve(groups.size());
    for (const SharedGroups::Group& group : groups) words.push_back(group.words);
    auto area = RegionArea::create(tid, words, inherited_);
    if (!area) return tl::unexpected(area.error());
    area_ = *std::move(area);
  }
  RegionGrant grant{static_cast<std::uint32_t>(groups.size()), {area_->descriptor()}};
  for (const SharedGroups::Group& group : groups) grant.descriptors.push_back(group.events.front());
  if (groups.size() == 1)
    grant.descriptors.insert(grant.descriptors.end(), groups.front().events.begin() + 1,
                             groups.front().events.end());
  return grant;
}

std::optional<RegionState> ThreadRegions::state() const {
  return area_ == nullptr ? inherited_ : area_->read();
}

RegionState ThreadRegions::open_now() const {
  const auto now = state();
  return now ? only_open(*now) : RegionState{};
}

RegionShare ThreadRegions::share(const OpenCounters* counters) const {
  constexpr int kTries = 16;
  RegionShare share;
  auto state = this->state();
  std::optional<bops_region_values> now;
  const SharedGroups* const shared = counters != nullptr ? counters->shared() : nullptr;
  // Of a thread that runs: what it did up to `now` must be of the state that was read.
  for (int i = 0; state && shared != nullptr && i < kTries; ++i) {
    now = shared->read_words();
    auto after = this->state();
    const bool same = after && after->sequence == state->sequence;
    state = std::move(after);
    if (same) break;
    if (state) now = state->last;
  }
  if (!state) {
    share.not_counted = "the program wrote over what its threads keep of them";
    return share;
  }
  share.not_counted = reason_of(*state, counters, is_granted());
  if (share.not_counted.empty() && !now)
    share.not_counted = "another user of the hardware counters took them";
  if (share.not_counted.empty() && !state->open.empty())
    add_rest(state->contexts[state->open.back()].counted, *now, state->last);
  for (const RegionState::Context& context : state->contexts) {
    RegionContext made;
    made.parent = context.parent;
    made.name = context.name;
    made.entries = context.entries;
    made.counted = share.not_counted.empty();
    if (made.counted) {
      const Reading reading = shared->reading_of(context.counted);
      made.counts.instructions = reading.counts;
      made.counted = reading.means_something();
    }
    share.contexts.push_back(std::move(made));
  }
  for (const RegionState::Work& work : state->work) {
    share.work[work.unit] += work.amount;
    if (work.context) share.contexts[*work.context].work[work.unit] += work.amount;
  }
  share.refused = state->refused;
  return share;
}

void ThreadRegions::end(bops_region_end how) {
  if (area_ != nullptr) area_->end(how);
}

}  // namespace bops::pmu
