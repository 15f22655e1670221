// What each microarchitecture's counters are called and what they count: events/*.json, one file
// per microarchitecture, read into values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/cpu_identity.hpp"
#include "model/error.hpp"

namespace bops::pmu {

/// What one count of an event stands for.
enum class EventUnit : std::uint8_t {
  kRetiredInstructions,
  kRetiredUops,
  kDispatchedOps,  ///< wrong paths included
  kSpeculative,
};

/// One hardware event, as perf_event_open(2) takes it.
struct Event {
  std::string name;          ///< libpfm4's, without the PMU; empty where it has none
  std::uint32_t type = 0;    ///< perf_event_attr::type: PERF_TYPE_RAW, PERF_TYPE_HARDWARE, or a PMU's
  std::uint64_t config = 0;  ///< perf_event_attr::config
  EventUnit unit = EventUnit::kRetiredInstructions;
};

/// The events whose counts make the formula, by their places in EventSet::groups.
enum class Role : std::uint8_t { kInstructions, kLoads, kStores, kBranches, kCycles };

/// An event of `--vector`: each count stands for `operations` operations.
struct VectorEvent {
  Event event;
  double operations = 0;
  std::string meaning;  ///< "256-bit packed double, an FMA counts twice"
};

/// What is counted on one kind of core.
struct EventSet {
  std::string table;      ///< name of its file, without suffix: "skylake"
  std::string pmu;        ///< directory in /sys/bus/event_source/devices: "cpu", "cpu_core", ...
  std::string libpfm;     ///< libpfm4's name of the PMU; empty where the installed one lacks it
  Event instructions, loads, stores, branches;
  std::optional<Event> cycles;
  /// Which events are opened together: one group where they fit the counters. Every group after the
  /// first counts the instructions again.
  std::vector<std::vector<Role>> groups;
  std::vector<VectorEvent> vector_events;
  std::vector<std::string> errata;  ///< sentences for people, with their sources
  /// Largest relative error of counting known work that the self check lets pass.
  double margin = 0.001;
};

/// The machine that tables are chosen for. Tests make other ones.
struct Machine {
  CpuIdentity cpu;
  std::string sysfs = "/sys";  ///< where event_source/devices is looked for
  bool hyperthreading = false;
};

/// The event sets of the machine: one, or one for each kind of core of a hybrid. Generic events of
/// the kernel where no file matches and all four exist; an error that says what was looked for where
/// they do not.
[[nodiscard]] Result<std::vector<EventSet>> event_sets_for(const Machine& machine);

/// This machine.
[[nodiscard]] Machine this_machine();

}  // namespace bops::pmu
