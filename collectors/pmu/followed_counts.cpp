#include "collectors/pmu/followed_counts.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "collectors/pmu/shared_groups.hpp"
#include "platform/clock.hpp"
#include "platform/elf_imports.hpp"
#include "platform/procfs.hpp"

namespace bops::pmu {
namespace {

constexpr std::size_t kLongestComm = 15;  // TASK_COMM_LEN of Linux, less its end

InstructionCounts highest(const InstructionCounts& a, const InstructionCounts& b) {
  return {std::max(a.total, b.total), std::max(a.loads, b.loads), std::max(a.stores, b.stores),
          std::max(a.branches, b.branches)};
}

/// `now` less `base`, not below `last`: scaled counts may go back a little.
Reading since(const Reading& now, const Reading& base, const Reading& last) {
  Reading delta = now;
  delta.counts -= base.counts;
  if (delta.cycles && base.cycles) *delta.cycles -= *base.cycles;
  if (now.state != Reading::State::kScaled) return delta;
  delta.counts = highest(delta.counts, last.counts);
  if (delta.cycles && last.cycles) delta.cycles = std::max(*delta.cycles, *last.cycles);
  return delta;
}

/// Without the cycles of one thread there is no sum.
void add_cycles(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& cycles) {
  if (sum && cycles)
    *sum += *cycles;
  else
    sum.reset();
}

Error lost(Reading::State state) {
  if (state == Reading::State::kLost)
    return {"another user of the hardware counters (an NMI watchdog, another profiler) took them",
            "end the other profiler, or sysctl kernel.nmi_watchdog=0", FailureKind::kRefused};
  return {"the hardware counters were never scheduled",
          "end other profilers, or sysctl kernel.nmi_watchdog=0", FailureKind::kRefused};
}

bool is_setuid(const std::string& path, struct stat& status) {
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_ISUID | S_ISGID)) != 0;
}

/// Whether the kernel takes the counters off who executes this file: it does where the program
/// must not be looked into (Linux, begin_new_exec(): what is not dumpable). Nothing tells of it
/// afterwards: the counters stand still.
bool sheds_counters(const std::string& path) {
  struct stat status {};
  return is_setuid(path, status) || ::access(path.c_str(), R_OK) != 0 ||
         ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
}

std::string file_of(pid_t pid) {
  return "/proc/" + std::to_string(pid) + "/exe";
}

}  // namespace

std::uint64_t FollowedCounts::now() const {
  return mono_ns() - start_ns_;
}

void FollowedCounts::add_reason(std::map<std::string, Reasons>& reasons, const Error& reason) {
  Reasons& known = reasons[reason.message];
  ++known.threads;
  known.remedy = reason.remedy;
}

Result<void> FollowedCounts::hold_root(pid_t pid) {
  has_root_ = true;
  waiting_root_ = pid;
  start_of_threads_ = Start::kStopped;
  const std::uint64_t now_ns = now();
  Live live;
  live.row.pid = live.row.tid = pid;
  live.row.start_ns = now_ns;
  live.process = new_process(pid, now_ns);
  ++live_threads_[live.process];
  if (counters_.starts_on_exec()) {
    auto opened = counters_.open(pid, Start::kOnExec);
    if (!opened) return tl::unexpected(opened.error());
    live.counters = std::move(*opened);
  }
  live_.emplace(pid, std::move(live));
  return {};
}

void FollowedCounts::on_event(const ThreadEvent& event) {
  switch (event.kind) {
    case ThreadEvent::Kind::kStarted: start(event.pid, event.tid); break;
    case ThreadEvent::Kind::kExecuted: execute(event.pid, event.former_tid); break;
    case ThreadEvent::Kind::kExited: exit(event); break;
    case ThreadEvent::Kind::kForked: fork(event.pid, event.former_tid); break;
    case ThreadEvent::Kind::kHeld:
    case ThreadEvent::Kind::kReleased: break;
  }
}

std::size_t FollowedCounts::new_process(pid_t pid, std::uint64_t now_ns) {
  ProcessCounts process;
  process.pid = pid;
  if (const auto stat = read_process_stat(pid)) process.ppid = stat->ppid;
  process.executable = read_executable(pid).value_or("");
  process.start_ns = now_ns;
  processes_.push_back(std::move(process));
  live_threads_.push_back(0);
  return current_process_[pid] = processes_.size() - 1;
}

/// Of the thread `tid` that has started. A thread that its process made at its very end may be told
/// of after all others have ended; a first thread is a new process, perhaps with an old id.
std::size_t FollowedCounts::process_of(pid_t pid, pid_t tid, std::uint64_t now_ns) {
  const auto known = current_process_.find(pid);
  if (known == current_process_.end()) return new_process(pid, now_ns);
  ProcessCounts& process = processes_[known->second];
  if (process.end_ns && tid == pid) return new_process(pid, now_ns);
  process.end_ns.reset();
  return known->second;
}

void FollowedCounts::start(pid_t pid, pid_t tid) {
  const std::uint64_t now_ns = now();
  Live live;
  live.row.pid = pid;
  live.row.tid = tid;
  live.row.start_ns = now_ns;
  live.process = process_of(pid, tid, now_ns);
  ++live_threads_[live.process];
  if (auto inherited = inherited_.extract(tid); inherited && tid == pid)
    live.regions = std::make_unique<ThreadRegions>(std::move(inherited.mapped()));
  open(live, start_of_threads_);
  live_.insert_or_assign(tid, std::move(live));
}

/// A child is in the regions that its maker is in. Its first stop may have been before this.
void FollowedCounts::fork(pid_t child, pid_t maker) {
  const auto found = live_.find(maker);
  if (found == live_.end() || found->second.regions == nullptr) return;
  RegionState state = found->second.regions->open_now();
  if (state.open.empty()) return;
  if (const auto started = live_.find(child); started != live_.end())
    started->second.regions = std::make_unique<ThreadRegions>(std::move(state));
  else
    inherited_.insert_or_assign(child, std::move(state));
}

void FollowedCounts::open(Live& live, Start start) {
  const bool shared = program(live.row.pid, processes_[live.process].executable).names_regions;
  const auto try_to_open = [&] {
    return shared ? counters_.open_shared(live.row.tid, start)
                  : counters_.open(live.row.tid, start);
  };
  auto opened = try_to_open();
  if (!opened && !closing_.empty()) {  // perhaps for want of descriptors
    closing_.clear();
    opened = try_to_open();
  }
  if (!opened) return leave_uncounted(live, opened.error());
  live.counters = std::move(*opened);
  if (live.counters) live.row.via = live.counters->via();
}

void FollowedCounts::leave_uncounted(Live& live, const Error& reason) {
  if (!std::exchange(live.row.counted, false)) return;
  add_reason(uncounted_, reason);
  live.refusal = reason.message;
}

/// Of a thread that was killed before its first instruction. Its counters were opened meanwhile:
/// they were refused, or say that they were lost.
void FollowedCounts::has_executed_nothing(Live& live) {
  live.counters.reset();
  if (std::exchange(live.row.counted, true)) return;
  const auto reasons = uncounted_.find(live.refusal);
  if (reasons != uncounted_.end() && --reasons->second.threads == 0) uncounted_.erase(reasons);
}

/// Why the thread cannot be counted, if it cannot.
std::optional<Error> FollowedCounts::read(Live& live) {
  if (!live.counters || !live.row.counted) return std::nullopt;
  const auto reading = live.counters->read();
  if (!reading) return reading.error();
  if (!reading->means_something()) return lost(reading->state);
  live.last = since(*reading, live.base, live.last);
  live.row.counts.instructions = live.last.counts;
  return std::nullopt;
}

/// Ends the row of a thread, whose counters stay open.
void FollowedCounts::finish(Live& live, std::uint64_t now_ns) {
  if (const auto missing = read(live)) leave_uncounted(live, *missing);
  live.row.end_ns = now_ns;
  if (live.row.name.empty()) live.row.name = read_comm(live.row.pid, live.row.tid).value_or("");
  if (live.last.state == Reading::State::kScaled) {
    ++scaled_threads_;
    least_share_ = std::min(least_share_, live.last.share);
  }
  if (live.row.counted && live.counters) add_cycles(finished_cycles_, live.last.cycles);
  add_regions(live, live.row, finished_regions_);
  if (live.regions) live.regions->end(BOPS_REGION_OVER);
  live.regions.reset();
  finished_.push_back(std::move(live.row));
  process_of_finished_.push_back(live.process);
  if (--live_threads_[live.process] == 0) processes_[live.process].end_ns = now_ns;
}

/// Of a thread whose process executes another program: the kernel has the new one's name already.
void FollowedCounts::name_by_program(Live& live) const {
  const std::string& program = processes_[live.process].executable;
  live.row.name = program.substr(program.rfind('/') + 1, kLongestComm);
}

bool FollowedCounts::wants_exit_stop(pid_t tid) const {
  const auto found = live_.find(tid);
  return found != live_.end() && found->second.counters &&
         !found->second.counters->can_be_read_after_its_end();
}

void FollowedCounts::exit(const ThreadEvent& event) {
  const auto found = live_.find(event.tid);
  if (found == live_.end()) return;
  if (event.former_tid != 0) name_by_program(found->second);
  if (!event.has_executed) has_executed_nothing(found->second);
  constexpr std::size_t kClosedTogether = 32;
  inherited_.erase(event.tid);
  finish(found->second, now());
  closing_.push_back(std::move(found->second.counters));
  if (closing_.size() >= kClosedTogether) closing_.clear();
  live_.erase(found);
}

void FollowedCounts::execute(pid_t pid, pid_t former_tid) {
  const auto found = live_.find(former_tid);
  if (found == live_.end()) return start(pid, pid);
  Live live = std::move(found->second);
  live_.erase(found);
  const std::uint64_t now_ns = now();
  if (std::exchange(waiting_root_, waiting_root_ == pid ? 0 : waiting_root_) == pid) {
    // The root's own program: what was before was bops. Samples that its threads take are of this
    // program once the record of its execve(2) has been read.
    if (live.counters) (void)live.counters->read();
    live.row.start_ns = now_ns;
    processes_[live.process].start_ns = now_ns;
    processes_[live.process].executable = read_executable(pid).value_or("");
  } else {
    const bool was_counted = live.row.counted;
    name_by_program(live);
    finish(live, now_ns);
    processes_[live.process].end_ns = now_ns;
    live.row = {};
    live.row.pid = live.row.tid = pid;
    live.row.start_ns = now_ns;
    live.process = new_process(pid, now_ns);
    ++live_threads_[live.process];
    live.last = {};
    const auto base = live.counters ? live.counters->read() : Result<Reading>{};
    if (live.counters && was_counted && base && base->means_something())
      live.base = *base;
    else
      live.counters.reset();
  }
  if (sheds_counters(file_of(pid))) live.counters.reset();
  if (live.counters) {
    live.row.via = live.counters->via();
  } else {
    live.base = {};
    open(live, Start::kStopped);
  }
  look_at_program(pid, processes_[live.process]);
  live_.insert_or_assign(pid, std::move(live));
}

void FollowedCounts::warn_once(std::string code, std::string message) {
  Warning warning{std::move(code), std::move(message)};
  if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end())
    warnings_.push_back(std::move(warning));
}

const FollowedCounts::Program& FollowedCounts::program(pid_t pid, const std::string& path) {
  const auto [known, is_new] = programs_.try_emplace(path);
  if (is_new) {
    const std::string file = file_of(pid);
    known->second.traces =
        elf_imports(file, "ptrace") || static_program_calls(file, "ptrace", SYS_ptrace);
    known->second.names_regions = names_regions(file);
  }
  return known->second;
}

RegionGrant FollowedCounts::grant_regions(pid_t pid, pid_t tid) {
  const auto found = live_.find(tid);
  if (found == live_.end() || found->second.row.pid != pid) return {};
  Live& live = found->second;
  if (!live.regions) live.regions = std::make_unique<ThreadRegions>();
  processes_that_asked_.insert(pid);
  const auto grant = live.regions->grant(tid, live.counters.get());
  return grant ? *grant : RegionGrant{};
}

void FollowedCounts::leave() {
  for (auto& [tid, live] : live_) {
    if (!live.regions || !live.regions->is_granted()) continue;
    live.regions->end(BOPS_REGION_LEFT);
    if (live.counters && live.counters->shared() != nullptr) live.counters->shared()->stop();
  }
}

/// Adds what a thread did in its regions to `regions`, and the work that it did to its row.
void FollowedCounts::add_regions(const Live& live, ThreadCounts& row, RegionRows& regions) const {
  if (!live.regions) return;
  RegionShare share = live.regions->share(row.counted ? live.counters.get() : nullptr);
  row.work = std::move(share.work);
  include_nested(share.contexts);
  std::vector<RegionCounts> rows = regions_of(share.contexts, {&row, 1});
  const bool any = std::any_of(rows.begin(), rows.end(),
                               [](const RegionCounts& region) { return !region.counted; });
  if (any || (rows.empty() && !share.not_counted.empty()))
    ++regions.not_counted[share.not_counted.empty() ? "their counters were not scheduled meanwhile"
                                                    : share.not_counted];
  regions.refused |= share.refused;
  std::move(rows.begin(), rows.end(), std::back_inserter(regions.rows));
}

void FollowedCounts::warn_of_regions(const RegionRows& regions, RunCounts& run) const {
  for (const auto& [reason, threads] : regions.not_counted)
    run.warnings.push_back(
        {"regions_not_counted",
         "of " + std::to_string(threads) + " threads regions have no counts: " + reason});
  if (regions.refused)
    run.warnings.push_back({"regions_merged",
                            "a thread has too many regions, or too deep ones: the rest is counted "
                            "with those around"});
  if (has_root_) return;
  for (const ProcessCounts& process : processes_) {
    const auto known = programs_.find(process.executable);
    if (known != programs_.end() && known->second.names_regions &&
        !processes_that_asked_.contains(process.pid))
      run.warnings.push_back(
          {"regions_not_counted",
           process.executable + " (" + std::to_string(process.pid) +
               ") has the region library, but did not ask for its counters: a program that called "
               "it before bops attached does not ask again"});
  }
}

/// What being followed changes for a program.
void FollowedCounts::look_at_program(pid_t pid, const ProcessCounts& process) {
  const std::string& path = process.executable;
  struct stat status {};
  if (is_setuid(file_of(pid), status) && ::geteuid() != 0 && status.st_uid != ::geteuid())
    warn_once("privileges_dropped",
              path +
                  " is setuid or setgid, but ran without those privileges, as the kernel does "
                  "for programs that are followed; count it with --no-ptrace, or as root");
  if (program(pid, path).traces)
    warn_once("target_may_trace",
              path +
                  " uses ptrace, which is refused to it for processes that bops follows; if it "
                  "failed by that, count it with --no-ptrace or --collector native");
}

RunCounts FollowedCounts::counts() {
  RunCounts run;
  run.processes = processes_;
  run.threads = finished_;
  run.cycles = finished_cycles_;
  RegionRows regions = finished_regions_;
  std::map<std::string, Reasons> reasons = uncounted_;
  std::vector<std::size_t> process_of_row = process_of_finished_;
  std::uint64_t scaled = scaled_threads_;
  for (auto& [tid, live] : live_) {
    if (live.row.pid == waiting_root_) continue;
    // Regions first: no part of a thread that runs is more than it.
    const bool readable = counters_.reads_running_threads();
    Work work;
    if (ThreadCounts part = live.row; readable && live.regions) {
      add_regions(live, part, regions);
      work = std::move(part.work);
    }
    // What cannot be read now may be yet: PAPI does not tell a thread that has not run.
    const auto missing = readable ? read(live) : std::nullopt;
    ThreadCounts row = live.row;
    row.work = std::move(work);
    row.counted &= readable && !missing;
    if (missing) add_reason(reasons, *missing);
    if (row.name.empty()) row.name = read_comm(row.pid, row.tid).value_or("");
    if (live.last.state == Reading::State::kScaled) ++scaled;
    if (row.counted && live.counters) add_cycles(run.cycles, live.last.cycles);
    run.threads.push_back(std::move(row));
    process_of_row.push_back(live.process);
  }
  std::vector<std::uint64_t> counted_threads(processes_.size());
  std::size_t uncounted = 0;
  for (std::size_t i = 0; i < run.threads.size(); ++i) {
    const ThreadCounts& row = run.threads[i];
    ProcessCounts& process = run.processes[process_of_row[i]];
    process.counts.instructions += row.counts.instructions;
    counted_threads[process_of_row[i]] += row.counted ? 1 : 0;
    uncounted += row.counted ? 0 : 1;
  }
  for (std::size_t i = 0; i < processes_.size(); ++i)
    if (counted_threads[i] == 0) {
      run.processes[i].counted = false;
      run.processes[i].reason = "none of its threads was counted";
    }
  run.quality = Quality::kExact;
  if (scaled > 0) {
    run.quality = Quality::kScaled;
    run.counted_ppm = static_cast<std::int64_t>(least_share_ * 1e6);
    run.warnings.push_back(
        {"counts_scaled", std::to_string(scaled) +
                              " threads were counted part of the time (at least " +
                              std::to_string(static_cast<int>(least_share_ * 100)) +
                              " %) and extrapolated, as their events do not fit the counters"});
  }
  if (uncounted > 0)
    run.quality = uncounted == run.threads.size() ? Quality::kMissing : Quality::kPartial;
  for (const auto& [reason, details] : reasons)
    run.warnings.push_back({"threads_uncounted", std::to_string(details.threads) +
                                                     " threads were not counted: " + reason + "; " +
                                                     details.remedy});
  warn_of_regions(regions, run);
  run.regions = std::move(regions.rows);
  run.warnings.insert(run.warnings.end(), warnings_.begin(), warnings_.end());
  if (run.threads.empty()) run.quality = Quality::kMissing;
  if (run.quality == Quality::kMissing) run.cycles.reset();
  return run;
}

}  // namespace bops::pmu
