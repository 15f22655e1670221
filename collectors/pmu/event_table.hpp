// What each microarchitecture's counters are called and what they count: events/*.json, one file
// per microarchitecture, read into values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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
  std::string name;        ///< libpfm4's, without the PMU; empty where it has none
  std::uint32_t type = 0;  ///< perf_event_attr::type: PERF_TYPE_RAW, PERF_TYPE_HARDWARE, or a PMU's
  std::uint64_t config = 0;                          ///< perf_event_attr::config
  EventUnit unit = EventUnit::kRetiredInstructions;  ///< says nothing about cycles
  /// How many general-purpose counters it takes: none where a fixed counter has it, two where the
  /// hardware joins a pair (AMD, RETIRED_SSE_AVX_FLOPS).
  std::uint32_t counters = 1;
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
  std::string table;   ///< name of its file, without suffix: "skylake"
  std::string pmu;     ///< directory in /sys/bus/event_source/devices: "cpu", "cpu_core", ...
  std::string libpfm;  ///< libpfm4's name of the PMU; empty where the installed one lacks it
  Event instructions, loads, stores, branches;
  std::optional<Event> cycles;
  /// Which events are opened together: one group where they fit the counters. Every group after the
  /// first counts the instructions again.
  std::vector<std::vector<Role>> groups;
  std::vector<VectorEvent> vector_events;
  /// Indices into vector_events: each of these groups fits the counters when no other is open.
  std::vector<std::vector<std::size_t>> vector_groups;
  std::string vector_note;  ///< why there are no vector events; empty where there are
  /// General-purpose counters that one hardware thread has here; an NMI watchdog may take one.
  std::uint32_t general_counters = 0;
  std::vector<std::string> errata;  ///< sentences for people, with their sources
  /// Largest relative error of counting known work that the self check lets pass.
  double margin = 0.001;
};

/// The machine that tables are chosen for. Tests make other ones.
struct Machine {
  CpuIdentity cpu;
  std::string sysfs = "/sys";  ///< where event_source/devices is looked for
  bool hyperthreading = false;
  /// Whether the kernel can count an event, asked only about a CPU that no file matches; absent:
  /// nothing can be counted there.
  std::function<bool(std::uint32_t type, std::uint64_t config)> kernel_counts;
};

/// The event sets of the machine: one, or one for each kind of core of a hybrid. Generic events of
/// the kernel where no file matches and all four exist; an error that says what was looked for
/// where they do not.
[[nodiscard]] Result<std::vector<EventSet>> event_sets_for(const Machine& machine);

/// The general-purpose counters that the events of a group take together.
[[nodiscard]] std::uint32_t counters_taken(const EventSet& set, const std::vector<Role>& group);

/// The event of that role; EventSet::cycles must be there if asked for.
[[nodiscard]] const Event& event_of(const EventSet& set, Role role);

/// Fails where libpfm4 knows this CPU and encodes a name of the set to another code than the file
/// has: one of them is wrong then, and nothing must be counted. Names that it cannot encode pass:
/// the raw code stands for itself.
[[nodiscard]] Result<void> check_encoding(const EventSet& set);

/// This machine.
[[nodiscard]] Machine this_machine();

/// Whether the cores have several hardware threads, also if these are offline now: counters are
/// divided among them all the same. From devices/system/cpu below `sysfs`.
[[nodiscard]] bool has_hyperthreading(const std::string& sysfs);

}  // namespace bops::pmu
