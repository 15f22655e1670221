#include "collectors/pmu/event_file.hpp"

#include <linux/perf_event.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace bops::pmu {
namespace {

using nlohmann::json;

// What is wrong in a file is thrown here and caught in read_event_file, as the JSON library does.
[[noreturn]] void wrong(const std::string& what) {
  throw std::invalid_argument(what);
}

std::uint64_t number_of(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x");
  if (hexadecimal) text.remove_prefix(2);
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, hexadecimal ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size())
    wrong("\"" + std::string(text) + "\" is not a number");
  return number;
}

NumberRange range_of(const json& value) {
  const std::string text = value.get<std::string>();
  const std::size_t dash = text.find('-');
  const auto first = static_cast<std::uint32_t>(number_of(text.substr(0, dash)));
  if (dash == std::string::npos) return {first, first};
  return {first, static_cast<std::uint32_t>(number_of(text.substr(dash + 1)))};
}

std::vector<NumberRange> ranges_of(const json& values) {
  std::vector<NumberRange> ranges;
  for (const json& value : values) ranges.push_back(range_of(value));
  return ranges;
}

EventUnit unit_of(const std::string& name) {
  if (name == "retired_instructions") return EventUnit::kRetiredInstructions;
  if (name == "retired_uops") return EventUnit::kRetiredUops;
  if (name == "dispatched_ops") return EventUnit::kDispatchedOps;
  if (name == "speculative") return EventUnit::kSpeculative;
  if (name == "cycles") return {};
  wrong("\"" + name + "\" is not a unit");
}

Event event_from(const json& value) {
  Event event;
  event.name = value.at("name").get<std::string>();
  event.type = PERF_TYPE_RAW;
  event.config = number_of(value.at("code").get<std::string>());
  event.unit = unit_of(value.at("unit").get<std::string>());
  event.counters = value.at("counters").get<std::uint32_t>();
  return event;
}

Role role_of(const std::string& name) {
  if (name == "instructions") return Role::kInstructions;
  if (name == "loads") return Role::kLoads;
  if (name == "stores") return Role::kStores;
  if (name == "branches") return Role::kBranches;
  wrong("\"" + name + "\" is not one of the four counts");
}

std::vector<std::vector<Role>> groups_of(const json& value) {
  std::vector<std::vector<Role>> groups;
  for (const json& names : value) {
    std::vector<Role>& group = groups.emplace_back();
    for (const json& name : names) group.push_back(role_of(name.get<std::string>()));
  }
  return groups;
}

MatchRule rule_from(const json& value) {
  MatchRule rule;
  rule.pmus = value.at("pmus").get<std::vector<std::string>>();
  rule.libpfm = value.at("libpfm").get<std::string>();
  if (value.contains("implementer")) {
    rule.implementer =
        static_cast<std::uint32_t>(number_of(value["implementer"].get<std::string>()));
    rule.parts = ranges_of(value.at("parts"));
    return rule;
  }
  rule.vendor = value.at("vendor").get<std::string>();
  rule.family = value.at("family").get<std::uint32_t>();
  rule.models = ranges_of(value.at("models"));
  if (value.contains("steppings")) rule.steppings = range_of(value["steppings"]);
  return rule;
}

void read_vector_events(const json& groups, EventSet& set) {
  for (const json& events : groups) {
    std::vector<std::size_t>& group = set.vector_groups.emplace_back();
    for (const json& value : events) {
      group.push_back(set.vector_events.size());
      set.vector_events.push_back({event_from(value), value.at("operations").get<double>(),
                                   value.at("meaning").get<std::string>()});
    }
  }
}

EventFile file_from(const std::string& name, const json& value) {
  EventFile file;
  file.name = name;
  file.title = value.at("name").get<std::string>();
  for (const json& rule : value.at("match")) file.rules.push_back(rule_from(rule));
  const json& counters = value.at("counters");
  file.general_counters = counters.at("general").get<std::uint32_t>();
  if (counters.contains("general_hyperthreading"))
    file.general_counters_hyperthreading = counters["general_hyperthreading"].get<std::uint32_t>();

  EventSet& set = file.events;
  set.table = file.name;
  const json& events = value.at("events");
  set.instructions = event_from(events.at("instructions"));
  set.loads = event_from(events.at("loads"));
  set.stores = event_from(events.at("stores"));
  set.branches = event_from(events.at("branches"));
  set.cycles = event_from(events.at("cycles"));
  set.groups = groups_of(value.at("groups"));
  if (value.contains("groups_hyperthreading"))
    file.groups_hyperthreading = groups_of(value["groups_hyperthreading"]);
  read_vector_events(value.at("vector"), set);
  if (value.contains("vector_note")) set.vector_note = value["vector_note"].get<std::string>();
  set.margin = value.at("margin").get<double>();
  for (const json& erratum : value.at("errata"))
    set.errata.push_back(erratum.at("text").get<std::string>() + " (" +
                         erratum.at("source").get<std::string>() + ")");
  return file;
}

std::vector<EventFile> read_embedded_files() {
  std::vector<EventFile> files;
  for (const EmbeddedFile& embedded : embedded_event_files()) {
    auto file = read_event_file(std::string(embedded.name), embedded.json);
    if (!file) {
      std::fprintf(stderr, "bops: %s\n", file.error().message.c_str());
      std::abort();
    }
    files.push_back(*std::move(file));
  }
  return files;
}

bool any_contains(const std::vector<NumberRange>& ranges, std::uint32_t number) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [number](const NumberRange& range) { return range.contains(number); });
}

}  // namespace

bool MatchRule::is_for(const CpuIdentity& cpu) const {
  if (implementer != 0) return cpu.implementer == implementer && any_contains(parts, cpu.part);
  return cpu.implementer == 0 && cpu.vendor == vendor && cpu.family == family &&
         any_contains(models, cpu.model) && steppings.contains(cpu.stepping);
}

bool MatchRule::has_pmu(std::string_view pmu) const {
  return std::find(pmus.begin(), pmus.end(), pmu) != pmus.end();
}

Result<EventFile> read_event_file(const std::string& name, std::string_view text) {
  try {
    return file_from(name, json::parse(text));
  } catch (const std::exception& error) {
    return failure("the event file " + name + ".json cannot be read: " + error.what());
  }
}

const std::vector<EventFile>& event_files() {
  static const std::vector<EventFile> files = read_embedded_files();
  return files;
}

}  // namespace bops::pmu
