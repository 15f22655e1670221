// Runs programs under the collector of hardware counters with software events, whose numbers any
// machine has.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collectors/pmu/hardware_collector.hpp"
#include "launch/target_process.hpp"

namespace bops::pmu {

/// Page faults as "instructions", and those without and with input as loads and stores.
[[nodiscard]] std::vector<EventSet> software_events();

struct CountedRun {
  RunCounts counts;
  TargetEnd end;
  std::optional<Error> refused;
};

/// Runs `command` to its end, with PATH and `variables` in its environment.
[[nodiscard]] CountedRun count(HardwareCollector& collector,
                               const std::vector<std::string>& command, const Ticker& ticker = {},
                               const CountingOptions& options = {},
                               const std::map<std::string, std::string>& variables = {});

/// The same with perf groups of software_events().
[[nodiscard]] CountedRun count_faults(const std::vector<std::string>& command,
                                      const CountingOptions& options = {});

/// The path of a program of tests/programs.
[[nodiscard]] std::string program(const std::string& name);

}  // namespace bops::pmu
