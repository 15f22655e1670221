#include "counted_run.hpp"

#include <linux/perf_event.h>

#include "platform/clock.hpp"

namespace bops::pmu {

std::vector<EventSet> software_events() {
  const auto event = [](const char* name, std::uint64_t config) {
    Event made;
    made.name = name;
    made.type = PERF_TYPE_SOFTWARE;
    made.config = config;
    return made;
  };
  EventSet set;
  set.table = "software";
  set.instructions = event("PAGE-FAULTS", PERF_COUNT_SW_PAGE_FAULTS);
  set.loads = event("MINOR-FAULTS", PERF_COUNT_SW_PAGE_FAULTS_MIN);
  set.stores = event("MAJOR-FAULTS", PERF_COUNT_SW_PAGE_FAULTS_MAJ);
  set.branches = event("ALIGNMENT-FAULTS", PERF_COUNT_SW_ALIGNMENT_FAULTS);
  set.groups = {{Role::kInstructions, Role::kLoads, Role::kStores, Role::kBranches}};
  return {set};
}

CountedRun count(HardwareCollector& collector, const std::vector<std::string>& command,
                 const Ticker& ticker, const CountingOptions& options,
                 const std::map<std::string, std::string>& variables) {
  CountedRun run;
  const auto refuse = [&run](const Error& error) {
    run.refused = error;
    return run;
  };
  LaunchPlan plan{command[0], command, {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}};
  for (const auto& [name, value] : variables) plan.environment.push_back(name + "=" + value);
  if (auto done = collector.configure(options); !done) return refuse(done.error());
  if (auto done = collector.prepare(plan, {"", mono_ns()}); !done) return refuse(done.error());
  auto target = TargetProcess::spawn_held(plan);
  if (!target) return refuse(target.error());
  if (collector.follows_threads()) {
    const auto followed = target->follow(
        [&collector](const ThreadEvent& event) { (void)collector.on_thread_event(event); },
        [&collector](pid_t tid) { return collector.wants_exit_stop(tid); });
    if (!followed)
      if (auto done = collector.cannot_follow(followed.error()); !done) return refuse(done.error());
  }
  const pid_t pid = target->pid();
  if (auto held = collector.on_thread_event({ThreadEvent::Kind::kHeld, pid, pid}); !held)
    return refuse(held.error());
  if (auto released = target->release(); !released) return refuse(released.error());
  (void)collector.on_thread_event({ThreadEvent::Kind::kReleased, pid, pid});
  std::vector<Watched> watched;
  if (collector.service_descriptor() >= 0)
    watched.push_back({collector.service_descriptor(), [&collector] { collector.serve(); }});
  run.end = target->wait(ticker, watched);
  auto counts = collector.collect();
  if (!counts) return refuse(counts.error());
  run.counts = *std::move(counts);
  return run;
}

CountedRun count_faults(const std::vector<std::string>& command, const CountingOptions& options) {
  HardwareCollector collector("perf", Division::kPerf, software_events());
  return count(collector, command, {}, options);
}

std::string program(const std::string& name) {
  return std::string(BOPS_TEST_PROGRAMS_DIR) + "/" + name;
}

}  // namespace bops::pmu
