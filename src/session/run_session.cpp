#include "session/run_session.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

#include "launch/command.hpp"
#include "launch/target_process.hpp"
#include "model/version.hpp"
#include "platform/clock.hpp"
#include "platform/host_identity.hpp"
#include "platform/procfs.hpp"
#include "report/missing.hpp"
#include "session/counting_window.hpp"
#include "session/intervals.hpp"
#include "session/run_control.hpp"

namespace bops {
namespace {

/// Lets a held target see what the collector needs, and go.
Result<void> start(Collector* collector, TargetProcess& target) {
  if (collector != nullptr && collector->follows_threads()) {
    const auto followed = target.follow(
        [collector](const ThreadEvent& event) {
          // The target is under way: what goes wrong from here on, the collector says in its
          // counts.
          (void)collector->on_thread_event(event);
        },
        [collector](pid_t tid) { return collector->wants_exit_stop(tid); });
    if (!followed)
      if (auto without = collector->cannot_follow(followed.error()); !without) return without;
  }
  const auto tell = [&](ThreadEvent::Kind kind) -> Result<void> {
    if (collector == nullptr) return {};
    return collector->on_thread_event({kind, target.pid(), target.pid()});
  };
  if (auto held = tell(ThreadEvent::Kind::kHeld); !held) return held;
  if (auto released = target.release(); !released) return released;
  return tell(ThreadEvent::Kind::kReleased);
}

RunManifest manifest_of(const RunRequest& request, const Collector* collector,
                        const RunDirectory& directory, const std::string& started) {
  RunManifest manifest;
  manifest.started = started;
  manifest.start_mono_ns = directory.start_mono_ns;
  manifest.collector = collector != nullptr ? collector->info().name : "";
  if (!request.redact) manifest.command = request.command;
  manifest.labels = request.labels;
  manifest.bops_pid = ::getpid();
  if (const auto stat = read_process_stat(::getpid()))
    manifest.bops_start_ticks = stat->start_ticks;
  return manifest;
}

RunCounts uncounted(const Error& reason) {
  RunCounts counts;
  counts.quality = Quality::kMissing;
  counts.warnings.push_back({"command_not_counted", reason.message});
  return counts;
}

void warn(RunRecord& record, std::string code, std::string message) {
  record.warnings.push_back({std::move(code), std::move(message)});
}

/// An exact engine counts a block when it is entered: of a thread that was killed inside one, the
/// rest of that block is counted too.
void warn_of_killed_threads(RunRecord& record) {
  std::size_t killed = 0;
  for (const ThreadCounts& thread : record.counts.threads) killed += thread.end_ns ? 0 : 1;
  if (killed == 0 || !record.exit.signal) return;
  warn(record, "threads_killed",
       std::to_string(killed) +
           " threads were killed: the straight run of instructions that each "
           "was in may be counted to its end");
}

void warn_of_illegal_instruction(RunRecord& record) {
  const bool emulated =
      !record.collectors.empty() && record.collectors.front().slowdown_class == "emulated";
  if (emulated && record.exit.signal == SIGILL)
    warn(record, "illegal_instruction_under_emulator",
         "the target died of an illegal instruction: the emulator has no AVX-512; build the target "
         "without it, or count it with another collector");
}

RunRecord describe(const RunRequest& request, const Collector* collector) {
  RunRecord record;
  record.tool_version = kVersion;
  if (!request.redact) record.command = request.command;
  record.started = rfc3339_utc(std::chrono::system_clock::now());
  record.host = read_host_identity();
  record.labels = request.labels;
  if (collector != nullptr) {
    record.collectors.push_back(collector->info());
    record.time_is_the_targets = collector->info().slowdown_class == "native";
  }
  return record;
}

}  // namespace

Result<FinishedRun> run_session(const RunRequest& request, Collectors collectors,
                                const RunListener& listener) {
  auto plan = resolve_command(request.command, request.environment);
  if (!plan) return tl::unexpected(plan.error());
  const auto choice = choose_collector(collectors, request.collector, request.require_pmu);
  if (!choice) return tl::unexpected(choice.error());
  if (!choice->notice.empty()) listener.on_notice(choice->notice);
  auto directory = OwnedRunDirectory::create();
  if (!directory) return tl::unexpected(directory.error());

  Collector* collector = choice->collector;
  const bool in_part = request.delay.count() > 0 || !request.control.empty();
  if (auto configured = collector->configure(
          {request.with_kernel, request.follow, in_part || request.interval.count() > 0,
           request.vector, request.vector_run, request.sample_period});
      !configured)
    return tl::unexpected(configured.error());
  std::optional<Error> not_counted;
  if (auto prepared = collector->prepare(*plan, directory->directory()); !prepared) {
    if (!request.allow_uncounted) return tl::unexpected(prepared.error());
    not_counted = prepared.error();
    collector = nullptr;
  }
  RunRecord record = describe(request, collector);
  if (auto written =
          write_manifest(directory->directory(),
                         manifest_of(request, collector, directory->directory(), record.started));
      !written)
    return tl::unexpected(written.error());

  auto control = RunControl::open(request.control, request.delay);
  if (!control) return tl::unexpected(control.error());
  auto target = TargetProcess::spawn_held(*plan);
  if (!target) return tl::unexpected(target.error());
  if (auto started = start(collector, *target); !started) return tl::unexpected(started.error());

  const std::uint64_t start_ns = directory->directory().start_mono_ns;
  IntervalSeries series;
  CountingWindow window(request.delay.count() == 0);
  const auto with_snapshot = [&](const auto& action) {
    if (collector == nullptr) return;
    if (const auto counts = collector->snapshot()) action(*counts);
  };
  const auto tell_interval = [&] {
    with_snapshot([&](const RunCounts& now) {
      listener.on_interval(series.next(window.inside(now), mono_ns() - start_ns));
    });
  };
  const ControlActions actions{
      [&] { with_snapshot([&](const RunCounts& now) { window.open(now); }); },
      [&] { with_snapshot([&](const RunCounts& now) { window.close(now); }); }, tell_interval};
  const Ticker ticker{collector != nullptr ? request.interval : std::chrono::nanoseconds{0},
                      tell_interval};
  const TargetEnd end = target->wait(ticker, control->watched(actions));
  record.wall_ns = mono_ns() - start_ns;
  record.exit = end.exit;
  record.resource_usage = end.resource_usage;

  auto counts = collector != nullptr ? collector->collect() : Result<RunCounts>{};
  if (not_counted) {
    record.counts = uncounted(*not_counted);
  } else if (!counts) {
    directory->keep();
    record.counts.quality = Quality::kMissing;
    warn(record, "collector_failed", counts.error().message);
  } else {
    record.counts = window.inside(std::move(*counts));
    record.cycles = record.counts.cycles;
    if (ticker.period.count() > 0 || !request.control.empty())
      listener.on_interval(series.next(record.counts, record.wall_ns));
  }
  if (end.descendants_left) {
    record.counts.quality = poorer(record.counts.quality, Quality::kPartial);
    warn(record, "descendants_left",
         "bops was told to stop waiting while descendants of the target were still running: what "
         "they run from now on is not in this record");
  }
  warn_of_killed_threads(record);
  warn_of_illegal_instruction(record);
  explain_missing_numbers(record);
  return FinishedRun{std::move(record), std::move(*directory)};
}

bool is_running(const RunManifest& manifest) {
  return is_alive(manifest.bops_pid, manifest.bops_start_ticks);
}

Result<RunRecord> recover_run(const std::string& directory_path, Collectors collectors) {
  const auto manifest = read_manifest(directory_path);
  if (!manifest) return tl::unexpected(manifest.error());
  for (const auto& collector : collectors) {
    if (collector->info().name != manifest->collector) continue;
    auto counts = collector->recover({directory_path, manifest->start_mono_ns});
    if (!counts) return tl::unexpected(counts.error());
    RunRecord record = describe({}, collector.get());
    record.command = manifest->command;
    record.started = manifest->started;
    record.labels = manifest->labels;
    record.counts = std::move(*counts);
    bool alive = false;
    for (const ProcessCounts& process : record.counts.processes) {
      record.wall_ns = std::max(record.wall_ns, process.end_ns.value_or(process.start_ns));
      alive |= !process.end_ns && ::kill(process.pid, 0) == 0;
    }
    warn(record, "recovered",
         "bops died during this run: how the target ended, and what it used, is not known; wall_ns "
         "is the last time that its processes are known of");
    if (alive) {
      record.counts.quality = poorer(record.counts.quality, Quality::kPartial);
      warn(record, "still_running",
           "the target seems to be running still: these are its counts so far");
    }
    explain_missing_numbers(record);
    return record;
  }
  return failure("the run was counted by " + manifest->collector + ", which this build lacks",
                 "recover it with the bops that ran it");
}

}  // namespace bops
