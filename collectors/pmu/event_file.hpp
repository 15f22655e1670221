// events/*.json as values: which CPUs a file is for, and what their events are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/pmu/event_table.hpp"

namespace bops::pmu {

struct NumberRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  [[nodiscard]] bool contains(std::uint32_t number) const {
    return first <= number && number <= last;
  }
};

/// CPUs that a file is for. x86: vendor, family, models and steppings; Arm: implementer and parts.
struct MatchRule {
  std::string vendor;  ///< empty on Arm
  std::uint32_t family = 0;
  std::vector<NumberRange> models;
  NumberRange steppings{0, 15};
  std::uint32_t implementer = 0;  ///< 0 on x86
  std::vector<NumberRange> parts;
  std::vector<std::string> pmus;  ///< directories in event_source/devices, of one kind of core
  std::string libpfm;             ///< libpfm4's name of the PMU, empty where none is known

  [[nodiscard]] bool is_for(const CpuIdentity& cpu) const;
  [[nodiscard]] bool has_pmu(std::string_view pmu) const;
};

struct EventFile {
  std::string name;   ///< of the file, without suffix
  std::string title;  ///< for people
  std::vector<MatchRule> rules;
  std::uint32_t general_counters = 0;
  std::optional<std::uint32_t> general_counters_hyperthreading;  ///< where they are divided
  /// Everything that does not depend on the machine: PMU, libpfm name, groups and counters are of a
  /// machine without hyper-threading.
  EventSet events;
  std::vector<std::vector<Role>> groups_hyperthreading;  ///< empty: as without
};

/// Reads one file; fails with the place of what is wrong in it.
[[nodiscard]] Result<EventFile> read_event_file(const std::string& name, std::string_view json);

/// The files that were there when this program was built, in the order of their names. A file that
/// cannot be read is a bug of our own, which the tests find: it aborts.
[[nodiscard]] const std::vector<EventFile>& event_files();

/// A file as it was built in.
struct EmbeddedFile {
  std::string_view name;  ///< without suffix
  std::string_view json;
};
[[nodiscard]] const std::vector<EmbeddedFile>& embedded_event_files();

}  // namespace bops::pmu
