// bops run with software events, for scripts/bench on machines without a PMU:
// software_run perf|papi|pmu RECORD COMMAND [ARGS...]

#include <linux/perf_event.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iostream>

#include "counted_run.hpp"
#include "launch/target_process.hpp"
#include "report/json.hpp"
#include "session/run_session.hpp"

namespace bops {
namespace {

/// Those that PAPI has names for; the first one is 0 in no thread, which PAPI would take for never
/// counted.
std::vector<pmu::EventSet> events() {
  std::vector<pmu::EventSet> sets = pmu::software_events();
  sets.front().instructions.name = "TASK-CLOCK";
  sets.front().instructions.config = PERF_COUNT_SW_TASK_CLOCK;
  sets.front().margin = 1e300;  // no known work has known numbers of these
  sets.front().branches.name = "CPU-MIGRATIONS";
  sets.front().branches.config = PERF_COUNT_SW_CPU_MIGRATIONS;
  return sets;
}

/// The target's: without the double that PAPI needs to count anything here.
std::vector<std::string> target_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (std::strncmp(*variable, "LD_PRELOAD=", 11) != 0) variables.emplace_back(*variable);
  return variables;
}

int run(const std::string& name, const std::string& path, std::vector<std::string> command) {
  pmu::Division division = pmu::Division::kDivided;
  if (name == "papi") division = pmu::Division::kPapi;
  if (name == "perf") division = pmu::Division::kPerf;
  std::vector<std::unique_ptr<Collector>> collectors;
  collectors.push_back(std::make_unique<pmu::HardwareCollector>(name, division, events()));
  RunRequest request;
  request.command = std::move(command);
  request.environment = target_environment();
  request.collector = name;
  auto finished = run_session(request, collectors, {[](const std::string&) {}, {}});
  if (!finished) {
    std::cerr << finished.error().message << '\n';
    return 125;
  }
  std::ofstream(path) << render_json(finished->record, {});
  const ExitStatus exit = finished->record.exit;
  { const OwnedRunDirectory written = std::move(finished->directory); }
  exit_like(exit);
}

}  // namespace
}  // namespace bops

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: software_run perf|papi|pmu RECORD COMMAND [ARGS...]\n";
    return 125;
  }
  return bops::run(argv[1], argv[2], {argv + 3, argv + argc});
}
