#include "session/attach_session.hpp"

#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "launch/attached_processes.hpp"
#include "platform/clock.hpp"
#include "platform/elf_file.hpp"
#include "platform/files.hpp"
#include "platform/procfs.hpp"
#include "report/missing.hpp"
#include "session/intervals.hpp"
#include "session/run_description.hpp"
#include "session/snapshots.hpp"
#include "session/usage_state.hpp"

namespace bops {
namespace {

constexpr const char* kCgroups = "/sys/fs/cgroup";

/// The processes of a cgroup and those below it.
std::vector<pid_t> processes_in(const std::string& cgroup) {
  std::set<pid_t> pids;
  const auto read = [&pids](const std::string& directory) {
    std::istringstream numbers(read_file_whole(directory + "/cgroup.procs").value_or(""));
    for (pid_t pid = 0; numbers >> pid;)
      if (pid > 0) pids.insert(pid);
  };
  read(cgroup);
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cgroup, error))
    if (entry.is_directory(error)) read(entry.path().string());
  return {pids.begin(), pids.end()};
}

Result<std::vector<pid_t>> processes_of(const AttachRequest& request) {
  std::vector<pid_t> pids = request.pids;
  if (request.cgroup.empty()) return pids;
  std::error_code error;
  if (!std::filesystem::exists(request.cgroup + "/cgroup.procs", error))
    return failure(request.cgroup + " is not a cgroup",
                   "name a directory below " + std::string(kCgroups));
  for (const pid_t pid : processes_in(request.cgroup)) pids.push_back(pid);
  return pids;
}

/// The collector that the request names, or the hardware counters: nothing else can be attached.
Result<Collector*> collector_for(const AttachRequest& request, Collectors collectors) {
  const bool is_auto = request.collector == "auto";
  const auto choice = choose_collector(collectors, is_auto ? "pmu" : request.collector, false);
  if (!choice) return tl::unexpected(choice.error());
  if (auto configured = choice->collector->configure({request.with_kernel, true, true});
      !configured)
    return tl::unexpected(configured.error());
  if (!choice->collector->follows_threads())
    return failure("the collector " + request.collector + " counts programs from their start only",
                   "start the program with bops run, or attach with --collector pmu");
  return choice->collector;
}

void warn_of_attaching(RunRecord& record) {
  record.warnings.push_back({"attached",
                             "counted from the time that bops attached: what the processes did "
                             "before is not in this record"});
}

/// Processes of the cgroup that ran, and are not in the record.
void warn_of_left_out(const std::map<pid_t, Error>& left_out, RunRecord& record) {
  if (left_out.empty()) return;
  const Error& first = left_out.begin()->second;
  record.warnings.push_back({"processes_uncounted", std::to_string(left_out.size()) +
                                                        " processes were not counted: " +
                                                        first.message + "; " + first.remedy});
  if (record.counts.quality < Quality::kPartial) record.counts.quality = Quality::kPartial;
}

}  // namespace

Result<std::string> cgroup_of_unit(const std::string& unit) {
  const std::string name = unit.find('.') == std::string::npos ? unit + ".service" : unit;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           kCgroups, std::filesystem::directory_options::skip_permission_denied, error))
    if (entry.path().filename() == name && entry.is_directory(error)) return entry.path().string();
  return failure("no systemd unit " + name + " has processes",
                 "systemctl status tells whether it runs");
}

Result<FinishedRun> attach_session(const AttachRequest& request, Collectors collectors,
                                   const RunListener& listener, UsageMeter* usage) {
  const auto chosen = collector_for(request, collectors);
  if (!chosen) return tl::unexpected(chosen.error());
  Collector* const collector = *chosen;
  const auto pids = processes_of(request);
  if (!pids) return tl::unexpected(pids.error());
  auto directory = OwnedRunDirectory::create();
  if (!directory) return tl::unexpected(directory.error());
  const RunDirectory& place = directory->directory();
  const std::uint64_t start_ns = place.start_mono_ns;
  LaunchPlan nothing_to_launch;
  if (auto prepared = collector->prepare(nothing_to_launch, place); !prepared)
    return tl::unexpected(prepared.error());

  std::optional<std::vector<std::string>> command;
  if (pids->size() == 1 && !request.redact) command = read_command_line(pids->front());
  RunRecord record = describe_run(std::move(command), request.labels, collector);
  warn_of_attaching(record);
  if (auto written = write_manifest(place, manifest_of(record, nullptr, place)); !written)
    return tl::unexpected(written.error());
  const auto on_event = [collector](const ThreadEvent& event) {
    (void)collector->on_thread_event(event);
  };
  auto attached = request.cgroup.empty() ? AttachedProcesses::attach(*pids, on_event)
                                         : AttachedProcesses::attach_members(*pids, on_event);
  if (!attached) return tl::unexpected(attached.error());

  IntervalSeries series;
  const Ticker ticker{request.interval, [&] {
                        if (const auto counts = collector->snapshot())
                          listener.on_interval(series.next(*counts, mono_ns() - start_ns));
                      }};
  auto snapshots = Snapshots::open(place.path, [&]() -> std::optional<RunRecord> {
    auto counts = collector->snapshot();
    if (!counts) return std::nullopt;
    return so_far(record, *std::move(counts), mono_ns() - start_ns);
  });
  if (!snapshots) return tl::unexpected(snapshots.error());
  std::vector<Watched> watched{snapshots->watched()};
  if (usage != nullptr) {
    // Of a cgroup without processes yet there is nothing to name.
    const pid_t first = pids->empty() ? 0 : pids->front();
    usage->start(&record.collectors.front(), first,
                 first == 0 ? "" : elf_build_id("/proc/" + std::to_string(first) + "/exe"),
                 first == 0 ? lookup_in({}) : environment_of(first), *pids);
    if (auto kept = keep_usage_state(place.path, *usage); !kept)
      record.warnings.push_back({"usage_not_recoverable", kept.error().message});
    watched.push_back({usage->timer_fd(), [&] {
                         const auto counts = collector->snapshot();
                         usage->cut(counts ? &*counts : nullptr);
                       }});
  }
  if (collector->service_descriptor() >= 0)
    watched.push_back({collector->service_descriptor(), [collector] { collector->serve(); }});
  AttachedProcesses::Newcomers newcomers;
  if (!request.cgroup.empty()) newcomers = [&] { return processes_in(request.cgroup); };
  attached->wait(request.duration, ticker, newcomers, watched);

  const std::uint64_t wall_ns = mono_ns() - start_ns;
  auto counts = collector->collect();
  attached->detach();
  if (!counts) {
    directory->keep();  // of usage records, too, the last snapshot is left
    return tl::unexpected(counts.error());
  }
  record = so_far(std::move(record), *std::move(counts), wall_ns);
  warn_of_left_out(attached->left_out(), record);
  // Of several processes there is no one end.
  if (request.cgroup.empty() && pids->size() == 1) record.exit = attached->exit_of(pids->front());
  if (request.interval.count() > 0)
    listener.on_interval(series.next(record.counts, record.wall_ns));
  explain_missing_numbers(record);
  FinishedRun finished{std::move(record), *std::move(directory)};
  if (usage != nullptr) {
    finished.usage = usage->finish(&finished.record.counts, std::nullopt);
    end_usage(*usage, finished);
  }
  return finished;
}

}  // namespace bops
