#include "collectors/pmu/event_table.hpp"

#include <linux/perf_event.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "collectors/pmu/event_file.hpp"
#include "collectors/pmu/libpfm.hpp"
#include "platform/files.hpp"

namespace bops::pmu {
namespace {

constexpr std::string_view kOnlyPmu = "cpu";  ///< on x86, where all cores are alike

std::string hexadecimal(std::uint32_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%x", number);
  return text.data();
}

std::string described(const CpuIdentity& cpu) {
  std::string text =
      cpu.implementer != 0
          ? "implementer " + hexadecimal(cpu.implementer) + ", part " + hexadecimal(cpu.part)
          : cpu.vendor + " family " + std::to_string(cpu.family) + ", model " +
                hexadecimal(cpu.model) + ", stepping " + std::to_string(cpu.stepping);
  if (!cpu.name.empty()) text += " (" + cpu.name + ")";
  return text;
}

std::string device_path(const std::string& sysfs, const std::string& pmu) {
  return sysfs + "/bus/event_source/devices/" + pmu;
}

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \n") == std::string::npos;
}

/// PMUs of cores that are there. A kind of core that is all offline or switched off by the firmware
/// keeps its directory, with an empty list of CPUs.
std::vector<std::string> core_pmus(const std::string& sysfs) {
  std::vector<std::string> pmus{std::string(kOnlyPmu), "cpu_core", "cpu_atom", "cpu_lowpower"};
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(device_path(sysfs, ""), ignored))
    if (const std::string name = entry.path().filename(); name.starts_with("armv8_"))
      pmus.push_back(name);
  std::erase_if(pmus, [&](const std::string& pmu) {
    const std::string path = device_path(sysfs, pmu);
    if (!std::filesystem::exists(path)) return true;
    const auto cpus = read_file_whole(path + "/cpus");
    return cpus && is_blank(*cpus);
  });
  return pmus;
}

Result<std::uint32_t> type_of(const std::string& sysfs, const std::string& pmu) {
  const std::string path = device_path(sysfs, pmu) + "/type";
  const auto text = read_file_whole(path);
  if (!text) return tl::unexpected(text.error());
  std::uint32_t type = 0;
  if (std::from_chars(text->data(), text->data() + text->size(), type).ec != std::errc{})
    return failure(path + " does not hold the number of a PMU");
  return type;
}

void set_type(EventSet& set, std::uint32_t type) {
  for (Event* event : {&set.instructions, &set.loads, &set.stores, &set.branches})
    event->type = type;
  if (set.cycles) set.cycles->type = type;
  for (VectorEvent& vector : set.vector_events) vector.event.type = type;
}

struct Match {
  const EventFile* file;
  const MatchRule* rule;
};

template <class Accepts>
std::optional<Match> find_match(Accepts accepts) {
  for (const EventFile& file : event_files())
    for (const MatchRule& rule : file.rules)
      if (accepts(rule)) return Match{&file, &rule};
  return std::nullopt;
}

EventSet set_of(const Match& match, const std::string& pmu, std::uint32_t type,
                bool hyperthreading) {
  const EventFile& file = *match.file;
  EventSet set = file.events;
  set.pmu = pmu;
  if (libpfm_has_pmu(match.rule->libpfm)) set.libpfm = match.rule->libpfm;
  set.general_counters = file.general_counters;
  if (hyperthreading) {
    if (file.general_counters_hyperthreading)
      set.general_counters = *file.general_counters_hyperthreading;
    if (!file.groups_hyperthreading.empty()) set.groups = file.groups_hyperthreading;
  }
  set_type(set, type);
  return set;
}

// --- CPUs that no file matches -------------------------------------------------------------------

constexpr std::uint64_t l1d_config(std::uint64_t operation) {
  return PERF_COUNT_HW_CACHE_L1D | operation << 8U |
         std::uint64_t{PERF_COUNT_HW_CACHE_RESULT_ACCESS} << 16U;
}

/// The four events as the kernel defines them for every CPU. Of a hybrid's PMU, its type stands in
/// the upper half of the configuration (PERF_PMU_TYPE_SHIFT, Linux 5.13).
EventSet generic_set(const std::string& pmu, std::uint32_t type) {
  const std::uint64_t of_pmu = pmu == kOnlyPmu ? 0 : std::uint64_t{type} << 32U;
  const auto event = [of_pmu](std::uint32_t event_type, std::uint64_t config, EventUnit unit) {
    return Event{"", event_type, of_pmu | config, unit};
  };
  EventSet set;
  set.table = "generic";
  set.pmu = pmu;
  set.instructions =
      event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, EventUnit::kRetiredInstructions);
  set.loads =
      event(PERF_TYPE_HW_CACHE, l1d_config(PERF_COUNT_HW_CACHE_OP_READ), EventUnit::kSpeculative);
  set.stores =
      event(PERF_TYPE_HW_CACHE, l1d_config(PERF_COUNT_HW_CACHE_OP_WRITE), EventUnit::kSpeculative);
  set.branches =
      event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS, EventUnit::kRetiredInstructions);
  set.cycles = event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, {});
  set.groups = {{Role::kInstructions, Role::kLoads, Role::kStores, Role::kBranches}};
  set.vector_note = "there is no event table for this CPU";
  set.errata = {
      "The kernel's generic events: loads and stores are its accesses to the first-level "
      "data cache, whatever this CPU counts for that"};
  set.margin = 0.02;
  return set;
}

std::string missing_events(const Machine& machine, const EventSet& set) {
  std::string missing;
  for (const auto& [name, event] :
       {std::pair{"instructions", &set.instructions}, std::pair{"loads", &set.loads},
        std::pair{"stores", &set.stores}, std::pair{"branches", &set.branches}})
    if (!machine.kernel_counts || !machine.kernel_counts(event->type, event->config))
      missing += (missing.empty() ? "" : ", ") + std::string(name);
  return missing;
}

Result<std::vector<EventSet>> generic_sets(const Machine& machine,
                                           const std::vector<std::string>& pmus) {
  const std::string cpu = described(machine.cpu);
  constexpr const char* kRemedy =
      "count with --collector native, or write an event file for this CPU "
      "(collectors/pmu/README.md)";
  // Linux, arch/x86/events/amd/core.c: L1D READ is event 0x40, all accesses, and WRITE is none.
  if (machine.cpu.vendor == "AuthenticAMD" || machine.cpu.vendor == "HygonGenuine")
    return failure("there is no event table for this CPU, " + cpu +
                       ", and the kernel's generic loads are loads and stores on AMD's",
                   kRemedy);
  std::vector<EventSet> sets;
  for (const std::string& pmu : pmus) {
    std::uint32_t type = PERF_TYPE_RAW;
    if (pmu != kOnlyPmu) {
      const auto read = type_of(machine.sysfs, pmu);
      if (!read) return tl::unexpected(read.error());
      type = *read;
    }
    EventSet set = generic_set(pmu, type);
    if (const std::string missing = missing_events(machine, set); !missing.empty()) {
      std::string message = "there is no event table for this CPU, " + cpu;
      message += ", and the kernel has no generic events for these counts of its PMU ";
      message += pmu;
      message += ": ";
      return failure(message + missing, kRemedy);
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

}  // namespace

Result<std::vector<EventSet>> event_sets_for(const Machine& machine) {
  const CpuIdentity& cpu = machine.cpu;
  const auto any = find_match([&](const MatchRule& rule) { return rule.is_for(cpu); });
  std::vector<std::string> pmus = core_pmus(machine.sysfs);
  // Where the kernel shows no PMU, opening an event says why better than we can.
  const bool none_there = pmus.empty();
  if (none_there) pmus.emplace_back(cpu.implementer != 0 && any ? any->rule->pmus[0] : kOnlyPmu);
  if (!any) return generic_sets(machine, pmus);

  std::vector<EventSet> sets;
  for (const std::string& pmu : pmus) {
    const auto match =
        find_match([&](const MatchRule& rule) { return rule.is_for(cpu) && rule.has_pmu(pmu); });
    if (!match)
      return failure("there is no event table for the cores of the PMU " + pmu + " of this CPU, " +
                         described(cpu),
                     "count with --collector native, or keep the program off those cores: "
                     "taskset, and --collector perf");
    std::uint32_t type = PERF_TYPE_RAW;
    if (!none_there) {
      const auto read = type_of(machine.sysfs, pmu);
      if (!read) return tl::unexpected(read.error());
      type = *read;
    }
    sets.push_back(set_of(*match, pmu, type, machine.hyperthreading));
  }
  return sets;
}

const Event& event_of(const EventSet& set, Role role) {
  switch (role) {
    case Role::kInstructions: return set.instructions;
    case Role::kLoads: return set.loads;
    case Role::kStores: return set.stores;
    case Role::kBranches: return set.branches;
    case Role::kCycles: break;
  }
  return set.cycles.value();
}

std::uint32_t counters_taken(const EventSet& set, const std::vector<Role>& group) {
  std::uint32_t taken = 0;
  for (const Role role : group) taken += event_of(set, role).counters;
  return taken;
}

}  // namespace bops::pmu
