#include "session/run_session.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

#include "launch/command.hpp"
#include "launch/target_process.hpp"
#include "platform/clock.hpp"
#include "platform/elf_file.hpp"
#include "platform/procfs.hpp"
#include "report/missing.hpp"
#include "session/counting_window.hpp"
#include "session/gpu_share.hpp"
#include "session/intervals.hpp"
#include "session/run_control.hpp"
#include "session/run_description.hpp"
#include "session/snapshots.hpp"
#include "session/usage_state.hpp"

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

/// Usage records of what was counted so far. Where a snapshot fails, a later one makes up for it.
void cut_usage(UsageMeter& usage, Collector* collector, Collector* gpus,
               const CountingWindow& window) {
  std::optional<RunCounts> counts;
  if (collector != nullptr)
    if (auto snapshot = collector->snapshot()) counts = window.inside(*std::move(snapshot));
  if (gpus != nullptr)
    if (auto snapshot = gpus->snapshot(); snapshot && !snapshot->gpus.empty()) {
      if (!counts) counts.emplace();
      add_gpus_so_far(*counts, *std::move(snapshot));
    }
  usage.cut(counts ? &*counts : nullptr);
}

}  // namespace

Result<FinishedRun> run_session(const RunRequest& request, Collectors collectors,
                                const RunListener& listener, UsageMeter* usage) {
  auto plan = resolve_command(request.command, request.environment);
  if (!plan) return tl::unexpected(plan.error());
  const auto choice = choose_collector(collectors, request.collector, request.require_pmu);
  if (!choice) return tl::unexpected(choice.error());
  if (!choice->notice.empty()) listener.on_notice(choice->notice);
  auto directory = OwnedRunDirectory::create();
  if (!directory) return tl::unexpected(directory.error());

  Collector* collector = choice->collector;
  const std::string build_id = usage != nullptr ? elf_build_id(plan->executable) : "";
  const auto gpu_choice = choose_gpu_collector(collectors, request.gpu, *collector);
  if (!gpu_choice) return tl::unexpected(gpu_choice.error());
  Collector* const gpus = gpu_choice->collector;
  const bool in_part = request.delay.count() > 0 || !request.control.empty();
  CountingOptions options{request.with_kernel, request.follow,
                          in_part || request.interval.count() > 0 || usage != nullptr};
  options.vector = request.vector;
  options.vector_run = request.vector_run;
  options.sample_period = request.sample_period;
  options.interval_ms = static_cast<std::uint64_t>(
      std::chrono::ceil<std::chrono::milliseconds>(request.interval).count());
  if (gpus != nullptr) {
    options.gpu = request.gpu == GpuChoice::kProfile ? GpuCounting::kProfile : GpuCounting::kMeter;
    options.tensor_operations = request.tensor_operations;
    options.instruments = gpus->instruments();
  }
  for (Collector* each : {collector, gpus})
    if (each != nullptr)
      if (auto configured = each->configure(options); !configured)
        return tl::unexpected(configured.error());
  if (gpus != nullptr)
    if (auto prepared = gpus->prepare(*plan, directory->directory()); !prepared)
      return tl::unexpected(prepared.error());
  std::optional<Error> not_counted;
  if (auto prepared = collector->prepare(*plan, directory->directory()); !prepared) {
    if (!request.allow_uncounted) return tl::unexpected(prepared.error());
    not_counted = prepared.error();
    collector = nullptr;
  }
  RunRecord record = describe_run(request.redact ? std::nullopt : std::optional(request.command),
                                  request.labels, collector);
  if (auto written =
          write_manifest(directory->directory(), manifest_of(record, gpus, directory->directory()));
      !written)
    return tl::unexpected(written.error());

  if (usage != nullptr)
    if (auto kept = keep_usage_state(directory->directory().path, *usage); !kept)
      return tl::unexpected(kept.error());
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
  // What cannot be read now is in a later interval.
  const auto tell_interval = [&] {
    auto counts = collector != nullptr ? collector->snapshot() : Result<RunCounts>{};
    if (!counts) return;
    RunCounts now = window.inside(*std::move(counts));
    if (gpus != nullptr)
      if (auto snapshot = gpus->snapshot()) add_gpus_so_far(now, *std::move(snapshot));
    listener.on_interval(series.next(now, mono_ns() - start_ns));
  };
  const ControlActions actions{
      [&] { with_snapshot([&](const RunCounts& now) { window.open(now); }); },
      [&] { with_snapshot([&](const RunCounts& now) { window.close(now); }); }, tell_interval};
  const bool counting = collector != nullptr || gpus != nullptr;
  const Ticker ticker{counting ? request.interval : std::chrono::nanoseconds{0}, tell_interval};
  std::vector<Watched> watched = control->watched(actions);
  if (collector != nullptr && collector->service_descriptor() >= 0)
    watched.push_back({collector->service_descriptor(), [collector] { collector->serve(); }});
  std::optional<Snapshots> snapshots;
  if (collector != nullptr && !collector->counts_outlive_bops()) {
    auto opened = Snapshots::open(directory->directory().path, [&]() -> std::optional<RunRecord> {
      auto counts = collector->snapshot();
      if (!counts) return std::nullopt;
      return so_far(record, window.inside(*std::move(counts)), mono_ns() - start_ns);
    });
    if (!opened) return tl::unexpected(opened.error());
    watched.push_back(snapshots.emplace(*std::move(opened)).watched());
  }
  if (usage != nullptr) {
    usage->start(record.collectors.empty() ? nullptr : &record.collectors.front(), target->pid(),
                 build_id, lookup_in(request.environment), std::nullopt);
    if (auto kept = keep_usage_state(directory->directory().path, *usage); !kept)
      warn(record, "usage_not_recoverable", kept.error().message);
    watched.push_back({usage->timer_fd(), [&] { cut_usage(*usage, collector, gpus, window); }});
  }
  const TargetEnd end = target->wait(ticker, watched);
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
  }
  if (gpus != nullptr)
    add_gpus(record, *gpus, gpus->collect(), in_part, request.gpu != GpuChoice::kAuto);
  const bool shows_intervals = ticker.period.count() > 0 || !request.control.empty();
  if (shows_intervals && ((counts && !not_counted) || gpus != nullptr))
    listener.on_interval(series.next(record.counts, record.wall_ns));
  if (!gpu_choice->notice.empty()) warn(record, "gpu_not_counted", gpu_choice->notice);
  if (end.descendants_left) {
    record.counts.quality = poorer(record.counts.quality, Quality::kPartial);
    warn(record, "descendants_left",
         "bops was told to stop waiting while descendants of the target were still running: what "
         "they run from now on is not in this record");
  }
  warn_of_killed_threads(record);
  warn_of_illegal_instruction(record);
  FinishedRun finished{std::move(record), std::move(*directory)};
  finished.interrupted = end.interrupted;
  if (usage != nullptr)
    finished.usage = usage->finish(
        &finished.record.counts, end.resource_usage.user_cpu_ns + end.resource_usage.system_cpu_ns);
  if (usage != nullptr) end_usage(*usage, finished);
  explain_missing_numbers(finished.record);
  return finished;
}

void end_usage(const UsageMeter& usage, FinishedRun& finished) {
  for (Warning& warning : usage.warnings()) finished.record.warnings.push_back(std::move(warning));
  finished.usage_unwritten = usage.has_unwritten();
}

bool is_running(const RunManifest& manifest) {
  return is_alive(manifest.bops_pid, manifest.bops_start_ticks);
}

namespace {

/// Whether a process of the record seems to be there still.
bool is_any_alive(const RunRecord& record) {
  return std::any_of(
      record.counts.processes.begin(), record.counts.processes.end(),
      [](const ProcessCounts& process) { return !process.end_ns && ::kill(process.pid, 0) == 0; });
}

/// The collector of that name that counts GPUs; null if there is none.
Collector* gpu_collector_of(const RunManifest& manifest, Collectors collectors) {
  for (const auto& collector : collectors)
    if (collector->counts_gpus() && collector->info().name == manifest.gpu_collector)
      return collector.get();
  return nullptr;
}

/// From what the collector keeps in the directory.
Result<RunRecord> recover_counts(const RunManifest& manifest, const std::string& directory_path,
                                 Collectors collectors) {
  const Collector* const gpus = gpu_collector_of(manifest, collectors);
  for (const auto& collector : collectors) {
    if (collector->info().name != manifest.collector) continue;
    CountingOptions options;
    if (gpus != nullptr) options.instruments = gpus->instruments();
    if (auto configured = collector->configure(options); !configured)
      return tl::unexpected(configured.error());
    auto counts = collector->recover({directory_path, manifest.start_mono_ns});
    if (!counts) return tl::unexpected(counts.error());
    RunRecord record = describe_run(manifest.command, manifest.labels, collector.get());
    record.started = manifest.started;
    record.counts = std::move(*counts);
    for (const ProcessCounts& process : record.counts.processes)
      record.wall_ns = std::max(record.wall_ns, process.end_ns.value_or(process.start_ns));
    warn(record, "recovered",
         "bops died during this run: how the target ended, and what it used, is not known; wall_ns "
         "is the last time that its processes are known of");
    if (is_any_alive(record)) {
      record.wall_ns = mono_ns() - manifest.start_mono_ns;
      record.counts.quality = poorer(record.counts.quality, Quality::kPartial);
      warn(record, "still_running",
           "the target seems to be running still: these are its counts so far");
    }
    return record;
  }
  return failure("the run was counted by " + manifest.collector + ", which this build lacks",
                 "recover it with the bops that ran it");
}

}  // namespace

Result<RunRecord> recover_run(const std::string& directory_path, Collectors collectors) {
  const auto manifest = read_manifest(directory_path);
  if (!manifest) return tl::unexpected(manifest.error());
  auto whole = kept_record(directory_path);
  if (!whole) return tl::unexpected(whole.error());
  if (*whole) return **std::move(whole);
  auto snapshot = last_snapshot(directory_path);
  if (!snapshot) return tl::unexpected(snapshot.error());
  const bool from_snapshot = snapshot->has_value();
  auto record = from_snapshot ? Result<RunRecord>(**std::move(snapshot))
                              : recover_counts(*manifest, directory_path, collectors);
  if (!record) return record;
  if (Collector* const gpus = gpu_collector_of(*manifest, collectors))
    add_gpus(*record, *gpus, gpus->recover({directory_path, manifest->start_mono_ns}), false, true);
  if (from_snapshot) {
    record->counts.quality = poorer(record->counts.quality, Quality::kPartial);
    warn(*record, "recovered",
         "bops died during this run: these are its counts up to wall_ns, its last snapshot; what "
         "came after, how the target ended, and what it used, is not known");
    if (is_any_alive(*record))
      warn(*record, "still_running", "the target seems to be running still, uncounted");
  }
  explain_missing_numbers(*record);
  return record;
}

}  // namespace bops
