#include "collectors/pmu/vector_plan.hpp"

#include <algorithm>
#include <string>

#include "collectors/pmu/vector_estimate.hpp"

namespace bops::pmu {
namespace {

/// Fails as an estimate would: where a kind of core has no such events, there is none of the whole.
Result<void> has_events(const std::vector<EventSet>& sets) {
  for (const EventSet& set : sets)
    if (set.vector_events.empty())
      if (auto none = vector_estimate(set, {}); !none) return tl::unexpected(none.error());
  return {};
}

std::uint32_t vector_counters(const EventSet& set) {
  std::uint32_t counters = 0;
  for (const auto& group : set.vector_groups)
    for (const std::size_t event : group) counters += set.vector_events.at(event).event.counters;
  return counters;
}

std::uint32_t cycle_counters(const EventSet& set) {
  if (set.groups.empty() || !set.cycles) return 0;
  const std::vector<Role>& group = set.groups.front();
  return std::count(group.begin(), group.end(), Role::kCycles) > 0 ? set.cycles->counters : 0;
}

Error no_room(const EventSet& set, std::uint32_t needed, std::uint32_t there, bool watchdog) {
  std::string message = "the events of vector work do not fit the counters of this CPU (" +
                        set.table + ") beside those of the formula: ";
  message += set.groups.size() > 1
                 ? "those take turns already"
                 : "together they need " + std::to_string(needed) +
                       " counters, and a hardware thread has " + std::to_string(there) +
                       (watchdog ? " beside the NMI watchdog's" : "");
  return {message, "count them in a second run of the command: --vector=second-run",
          FailureKind::kRefused};
}

}  // namespace

Result<VectorPlan> vector_beside(const std::vector<EventSet>& sets, bool watchdog) {
  if (auto checked = has_events(sets); !checked) return tl::unexpected(checked.error());
  VectorPlan plan;
  for (std::size_t index = 0; index < sets.size(); ++index) {
    const EventSet& set = sets[index];
    const std::uint32_t there = set.general_counters - (watchdog ? 1 : 0);
    const std::uint32_t cycles = cycle_counters(set);
    std::uint32_t needed = vector_counters(set) - cycles;
    for (const auto& group : set.groups) needed += counters_taken(set, group);
    if (set.groups.size() != 1 || needed > there)
      return tl::unexpected(no_room(set, needed, there, watchdog));
    plan.without_cycles |= needed + cycles > there;
    for (const auto& group : set.vector_groups) plan.groups.push_back({index, group});
  }
  return plan;
}

Result<VectorPlan> vector_alone(const std::vector<EventSet>& sets, std::size_t run) {
  if (auto checked = has_events(sets); !checked) return tl::unexpected(checked.error());
  VectorPlan plan;
  for (std::size_t index = 0; index < sets.size(); ++index)
    if (run < sets[index].vector_groups.size())
      plan.groups.push_back({index, sets[index].vector_groups[run]});
  return plan;
}

std::size_t vector_runs(const std::vector<EventSet>& sets) {
  std::size_t runs = 0;
  for (const EventSet& set : sets) runs = std::max(runs, set.vector_groups.size());
  return runs;
}

void leave_out_cycles(std::vector<EventSet>& sets) {
  for (EventSet& set : sets)
    for (auto& group : set.groups)
      group.erase(std::remove(group.begin(), group.end(), Role::kCycles), group.end());
}

}  // namespace bops::pmu
