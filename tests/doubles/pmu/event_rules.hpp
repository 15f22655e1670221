// The rules that name the events of an event set.
#pragma once

#include <string>

#include "collectors/pmu/event_table.hpp"

namespace bops {

inline std::string event_rule(const char* name, const pmu::Event& event) {
  std::string rule = "event " + std::string(name) + " " + std::to_string(event.type) + " " +
                     std::to_string(event.config) + "\n";
  if (event.counters == 0) rule += "fixed " + std::string(name) + "\n";
  return rule;
}

/// instructions, loads, stores, branches and cycles; vector0, vector1, ...
inline std::string event_rules(const pmu::EventSet& set) {
  std::string rules = event_rule("instructions", set.instructions) +
                      event_rule("loads", set.loads) + event_rule("stores", set.stores) +
                      event_rule("branches", set.branches);
  if (set.cycles) rules += event_rule("cycles", *set.cycles);
  for (std::size_t index = 0; index < set.vector_events.size(); ++index)
    rules += event_rule(("vector" + std::to_string(index)).c_str(), set.vector_events[index].event);
  return rules;
}

}  // namespace bops
