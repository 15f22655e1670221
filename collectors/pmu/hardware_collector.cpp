#include "collectors/pmu/hardware_collector.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <utility>

#include "collectors/pmu/divided_counters.hpp"
#include "collectors/pmu/event_file.hpp"
#include "collectors/pmu/papi_counters.hpp"
#include "collectors/pmu/perf_access.hpp"
#include "collectors/pmu/self_check.hpp"
#include "platform/clock.hpp"
#include "platform/host_identity.hpp"
#include "platform/procfs.hpp"

namespace bops::pmu {
namespace {

using UnitName = std::pair<const char*, const char*>;  // in records, for people

UnitName name_of(EventUnit unit) {
  switch (unit) {
    case EventUnit::kRetiredInstructions: return {"retired_instructions", "retired instructions"};
    case EventUnit::kRetiredUops: return {"retired_uops", "retired micro-operations"};
    case EventUnit::kDispatchedOps:
      return {"dispatched_ops", "dispatched operations, those of wrong paths included"};
    case EventUnit::kSpeculative:
      return {"speculative", "speculatively executed operations, those of wrong paths included"};
  }
  return {};
}

using NamedEvent = std::pair<const char*, const Event*>;

std::array<NamedEvent, 4> events_of(const EventSet& set) {
  return {NamedEvent{"instructions", &set.instructions}, NamedEvent{"loads", &set.loads},
          NamedEvent{"stores", &set.stores}, NamedEvent{"branches", &set.branches}};
}

/// The unit that is furthest from retired instructions.
EventUnit poorest_unit(const std::vector<EventSet>& sets) {
  EventUnit poorest = EventUnit::kRetiredInstructions;
  for (const EventSet& set : sets)
    for (const auto& [name, event] : events_of(set)) poorest = std::max(poorest, event->unit);
  return poorest;
}

/// "loads and stores are counted in dispatched operations", for each set; empty where all is in
/// retired instructions.
std::string units_text(const std::vector<EventSet>& sets) {
  std::string text;
  for (const EventSet& set : sets)
    for (const EventUnit unit :
         {EventUnit::kRetiredUops, EventUnit::kDispatchedOps, EventUnit::kSpeculative}) {
      std::string names;
      for (const auto& [name, event] : events_of(set))
        if (event->unit == unit) names += (names.empty() ? "" : " and ") + std::string(name);
      if (names.empty()) continue;
      text += (text.empty() ? "" : "; ") + names + (sets.size() > 1 ? " on " + set.pmu : "") +
              " are counted in " + name_of(unit).second;
    }
  return text;
}

/// Cycles come with the others where the counters have room for them beside an NMI watchdog.
void add_cycles(EventSet& set) {
  constexpr std::uint32_t kWatchdog = 1;
  if (!set.cycles || set.groups.empty()) return;
  std::vector<Role> group = set.groups.front();
  if (std::find(group.begin(), group.end(), Role::kCycles) != group.end()) return;
  group.push_back(Role::kCycles);
  if (set.cycles->counters > 0 && counters_taken(set, group) + kWatchdog > set.general_counters)
    return;
  set.groups.front() = std::move(group);
}

/// Programs that get other rights than bops has: the kernel lets nobody look into them.
bool gains_privileges(const std::string& path) {
  struct stat status {};
  if (::geteuid() == 0 || ::stat(path.c_str(), &status) != 0) return false;
  if ((status.st_mode & S_ISUID) != 0 && status.st_uid != ::geteuid()) return true;
  if ((status.st_mode & S_ISGID) != 0 && status.st_gid != ::getegid()) return true;
  return ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
}

}  // namespace

HardwareCollector::HardwareCollector(std::string name, Division division,
                                     std::optional<std::vector<EventSet>> sets)
    : name_(std::move(name)), division_(division) {
  if (sets) sets_.emplace(*std::move(sets));
}

const Result<std::vector<EventSet>>& HardwareCollector::sets() const {
  if (!sets_) {
    sets_.emplace(event_sets_for(this_machine()));
    if (*sets_)
      for (EventSet& set : **sets_) {
        add_cycles(set);
        if (auto checked = check_encoding(set); !checked) {
          sets_ = tl::unexpected(checked.error());
          break;
        }
      }
  }
  return *sets_;
}

CollectorInfo HardwareCollector::info() const {
  const char* title = "hardware counters, through PAPI and perf_event_open";
  if (division_ == Division::kPapi) title = "hardware counters, through PAPI alone";
  if (division_ == Division::kPerf) title = "hardware counters, through perf_event_open alone";
  const EventUnit unit = sets() ? poorest_unit(*sets()) : EventUnit::kRetiredInstructions;
  return {name_,    title,   name_of(unit).first, options_.with_kernel ? "user+kernel" : "user",
          "kernel", "native"};
}

Probe HardwareCollector::probe() const {
  if (!sets()) return {false, sets().error().message, sets().error().remedy};
  std::string note = "events of the table " + sets()->front().table;
  if (division_ != Division::kPerf) {
    const auto version = papi_version();
    if (!version && division_ == Division::kPapi)
      return {false, version.error().message, version.error().remedy};
    note += version ? ", PAPI " + *version : ", without PAPI: " + version.error().message;
    if (division_ == Division::kPapi && (sets()->size() > 1 || sets()->front().groups.size() > 1))
      return {false, "PAPI cannot count this CPU's events (several groups, or kinds of cores)",
              "count with --collector perf"};
  }
  if (const auto opened = PerfCounters(*sets(), options_.with_kernel).open(0, Start::kOnExec);
      !opened)
    return {false, opened.error().message, opened.error().remedy};
  const std::string units = units_text(*sets());
  return {true, note + (units.empty() ? "" : "; " + units), ""};
}

/// Leaves out PAPI, whose start takes longer than all else before a short run: prepare() starts it
/// once, and says why if it cannot.
Probe HardwareCollector::quick_probe() const {
  if (division_ == Division::kPerf) return probe();
  if (!sets()) return {false, sets().error().message, sets().error().remedy};
  const auto opened = PerfCounters(*sets(), options_.with_kernel).open(0, Start::kOnExec);
  if (!opened) return {false, opened.error().message, opened.error().remedy};
  return {true, "events of the table " + sets()->front().table, ""};
}

std::vector<Limit> HardwareCollector::limits() const {
  if (division_ != Division::kDivided) return {};  // they are the same for all three
  std::size_t events = 1;                          // the witness of PerfCounters
  if (sets())
    for (const EventSet& set : *sets())
      for (const std::vector<Role>& group : set.groups) events += group.size();
  std::vector<Limit> limits = perf_limits(read_perf_obstacles(), events);
  if (sets())
    for (const EventSet& set : *sets())
      for (const std::string& erratum : set.errata) limits.push_back({erratum, ""});
  return limits;
}

Result<void> HardwareCollector::configure(const CountingOptions& options) {
  if (!options.follow && division_ == Division::kPapi)
    return failure("PAPI counts threads one by one, which needs ptrace",
                   "leave out --no-ptrace, or count with --collector perf");
  options_ = options;
  // Runs that count vector work alone sample nothing.
  if (options_.vector == VectorCounting::kAlone) options_.sample_period = 0;
  if (auto refused = refuse_kernel(); !refused) return refused;
  if (auto refused = refuse_sampling(); !refused) return refused;
  return plan_vector_work();
}

/// Tried before the target starts: the probe was of what the user executes, and PAPI opens nothing
/// before the target's own program.
Result<void> HardwareCollector::refuse_kernel() const {
  if (!options_.with_kernel || !sets()) return {};
  const auto opened = PerfCounters(*sets(), true).open(0, Start::kOnExec);
  if (!opened) return tl::unexpected(opened.error());
  return {};
}

Result<void> HardwareCollector::refuse_sampling() const {
  if (options_.sample_period == 0) return {};
  if (!options_.follow)
    return failure("--sample takes the samples of each thread, which needs ptrace",
                   "leave out --no-ptrace or --sample");
  if (division_ == Division::kPapi)
    return failure("PAPI samples no other threads than its own",
                   "leave out --sample, or count with --collector perf");
  if (!sets()) return tl::unexpected(sets().error());
  const auto sampler = Sampler::create(*sets(), options_.sample_period, options_.with_kernel);
  if (!sampler) return tl::unexpected(sampler.error());
  return {};
}

/// Of the whole run, once it has ended.
void HardwareCollector::add_samples(RunCounts& run) const {
  if (!sampler_) return;
  run.sampled = sampler_->functions();
  const SampledFunctions& sampled = *run.sampled;
  if (sampled.lost > 0)
    run.warnings.push_back({"samples_lost", std::to_string(sampled.lost) +
                                                " samples had no room in their buffers; the "
                                                "estimates are too low by their part: use a longer "
                                                "--sample period"});
  if (sampled.threads_without > 0)
    run.warnings.push_back({"threads_not_sampled",
                            std::to_string(sampled.threads_without) +
                                " threads were counted, but not sampled: " + sampler_->refusal()});
  if (sampled.skidding.empty()) return;
  std::string names;
  for (const std::string& name : sampled.skidding) names += (names.empty() ? "" : ", ") + name;
  run.warnings.push_back({"samples_skid",
                          "this CPU names an instruction some way behind the one "
                          "that was counted in samples of: " +
                              names});
}

std::size_t HardwareCollector::vector_runs() const {
  return sets() ? pmu::vector_runs(*sets()) : 0;
}

Result<void> HardwareCollector::plan_vector_work() {
  vector_plan_ = {};
  if (options_.vector == VectorCounting::kOff) return {};
  if (!sets()) return tl::unexpected(sets().error());
  const bool watchdog = read_perf_obstacles().nmi_watchdog == 1;
  auto plan = options_.vector == VectorCounting::kBeside
                  ? vector_beside(*sets(), watchdog)
                  : vector_alone(*sets(), options_.vector_run);
  if (!plan) return tl::unexpected(plan.error());
  vector_plan_ = *std::move(plan);
  if (vector_plan_.without_cycles) leave_out_cycles(**sets_);
  return {};
}

/// Adds the vector events to what is opened for each thread, or opens nothing else.
void HardwareCollector::count_vector_work() {
  if (options_.vector == VectorCounting::kOff) return;
  vector_ = std::make_unique<VectorSum>(*sets(), vector_plan_, options_.with_kernel);
  if (!options_.follow) return;
  if (options_.vector == VectorCounting::kAlone) counters_ = make_no_counters();
  counters_ = std::make_unique<CountersWithVector>(std::move(counters_), *vector_);
}

void HardwareCollector::estimate_vector_work(RunCounts& run) const {
  if (!vector_) return;
  if (options_.vector == VectorCounting::kAlone) run.quality = Quality::kMissing;
  if (auto estimate = vector_->estimate()) {
    run.operations_estimate = *std::move(estimate);
  } else {
    run.warnings.push_back({"vector_work_not_estimated", estimate.error().message});
  }
  if (vector_plan_.without_cycles)
    run.warnings.push_back(
        {"cycles_not_measured", "the events of vector work need the counter of cycles"});
}

Result<void> HardwareCollector::make_counters() {
  auto perf = std::make_unique<PerfCounters>(*sets(), options_.with_kernel, sampler_.get());
  // With PAPI before 7.1, running threads are perf's: nothing may be read wrong.
  if (division_ == Division::kPerf || !options_.follow || sampler_) {
    counters_ = std::move(perf);
    return {};
  }
  auto papi = make_papi_counters(*sets(), options_.with_kernel);
  if (division_ == Division::kPapi) {
    if (!papi) return tl::unexpected(papi.error());
    if (options_.snapshots && !papi_reads_running_threads())
      return failure("PAPI before 7.1 reads wrong numbers from threads that run",
                     "count with --collector perf, or leave out what reads them: bops attach, "
                     "--interval, --control, --usage");
    counters_ = *std::move(papi);
  } else if (papi && (!options_.snapshots || papi_reads_running_threads())) {
    counters_ = std::make_unique<DividedCounters>(*std::move(papi), std::move(perf));
  } else {
    counters_ = std::move(perf);
  }
  return {};
}

/// Counts known loops, once per boot, before anything is believed.
void HardwareCollector::check_counters_once(const std::string& state_directory) {
  const auto count = [this](const std::function<void()>& work) -> Result<InstructionCounts> {
    PerfCounters perf(*sets(), false);
    const auto counters = perf.open(0, Start::kAtOnce);
    if (!counters) return tl::unexpected(counters.error());
    work();
    const auto reading = (*counters)->read();
    if (!reading) return tl::unexpected(reading.error());
    if (!reading->means_something()) return failure("the counters are not to be had now");
    return reading->counts;
  };
  const CpuIdentity cpu = read_host_identity().cpu;
  std::string subject = cpu.vendor + " " + std::to_string(cpu.family) + " " +
                        std::to_string(cpu.model) + " " + std::to_string(cpu.stepping);
  for (const EventSet& set : *sets()) subject += " " + set.table;
  const auto warning =
      self_check(count, *sets(), SelfCheckRecord(state_directory, subject, boot_id()));
  // What fails here fails again when the target's counters are opened, and is told there.
  is_off_ = warning && *warning;
  if (is_off_) warnings_.push_back(**warning);
}

Result<void> HardwareCollector::prepare(LaunchPlan& plan, const RunDirectory& directory) {
  if (!sets()) return tl::unexpected(sets().error());
  if (gains_privileges(plan.executable))
    return failure("the " + name_ + " collector cannot count " + plan.executable +
                       ": it is setuid or setgid, or has capabilities, and the kernel lets nobody "
                       "look into such a program",
                   "run bops as root, or run it uncounted with --allow-uncounted");
  if (options_.follow && !proc_is_of_own_namespace())
    return failure(
        "/proc is that of another PID namespace: the processes in it are not those that "
        "bops follows",
        "mount its own: unshare --mount-proc, or mount -t proc proc /proc");
  program_ = plan.executable;
  start_ns_ = directory.start_mono_ns;
  regions_.reset();
  followed_.reset();
  tree_.reset();
  vector_tree_.reset();
  warnings_.clear();
  counters_.reset();  // before the next one: PAPI's state has one owner
  vector_.reset();
  sampler_.reset();
  if (options_.sample_period > 0) {
    auto sampler = Sampler::create(*sets(), options_.sample_period, options_.with_kernel);
    if (!sampler) return tl::unexpected(sampler.error());
    sampler_ = *std::move(sampler);
  }
  if (auto made = make_counters(); !made) return made;
  if (!directory.path.empty())
    check_counters_once(std::filesystem::path(directory.path).parent_path().string());
  count_vector_work();
  followed_ = std::make_unique<FollowedCounts>(*counters_, start_ns_);
  open_region_channel();
  return {};
}

void HardwareCollector::open_region_channel() {
  regions_.reset();  // before the next one: they have the same name
  if (!options_.follow || options_.vector == VectorCounting::kAlone) return;
  auto channel = RegionChannel::open();
  if (channel)
    regions_ = *std::move(channel);
  else
    warnings_.push_back({"regions_not_counted", channel.error().message});
}

int HardwareCollector::service_descriptor() const {
  return regions_ ? regions_->descriptor() : -1;
}

void HardwareCollector::serve() {
  regions_->serve([this](pid_t pid, pid_t tid) { return followed_->grant_regions(pid, tid); });
}

Result<void> HardwareCollector::cannot_follow(const Error& reason) {
  if (division_ == Division::kPapi) return tl::unexpected(reason);
  if (sampler_) return tl::unexpected(reason);
  options_.follow = false;
  warnings_.push_back({"following_refused", reason.message});
  return make_counters();
}

Result<void> HardwareCollector::hold(pid_t root) {
  descriptors_ = std::make_unique<DescriptorLimit>();
  if (options_.follow) return followed_->hold_root(root);
  PerfCounters* const perf = dynamic_cast<PerfCounters*>(counters_.get());
  auto opened = options_.vector == VectorCounting::kAlone
                    ? make_no_counters()->open(root, Start::kOnExec)
                    : perf->open_tree(root);
  if (!opened) return tl::unexpected(opened.error());
  tree_ = std::move(*opened);
  if (vector_) vector_tree_ = vector_->open_tree(root);
  root_ = {};
  root_.pid = root;
  root_.ppid = ::getpid();
  warnings_.push_back({"threads_not_followed",
                       "counted by inheritance: the one row stands for all threads and children "
                       "of the target; setuid programs among them are not in it"});
  if (names_regions(program_))
    warnings_.push_back({"regions_not_counted",
                         "the regions of the target are not counted: its threads have no counters "
                         "of their own (--no-ptrace)"});
  return {};
}

Result<void> HardwareCollector::on_thread_event(const ThreadEvent& event) {
  if (event.kind == ThreadEvent::Kind::kHeld) return hold(event.pid);
  if (event.kind == ThreadEvent::Kind::kReleased && !options_.follow) {
    root_.start_ns = mono_ns() - start_ns_;
    root_.executable = read_executable(event.pid).value_or("");
  }
  if (!followed_) return {};
  // Attached to, without a root.
  if (!descriptors_) descriptors_ = std::make_unique<DescriptorLimit>();
  followed_->on_event(event);
  return {};
}

RunCounts HardwareCollector::tree_counts() {
  RunCounts run;
  ThreadCounts row;
  row.pid = row.tid = root_.pid;
  row.start_ns = root_.start_ns;
  row.end_ns = root_.end_ns;
  row.via = tree_->via();
  row.name = root_.executable.substr(root_.executable.rfind('/') + 1);
  const auto reading = tree_->read();
  ProcessCounts process = root_;
  if (reading && reading->means_something()) {
    row.counts.instructions = process.counts.instructions = reading->counts;
    run.cycles = reading->cycles;
    const bool scaled = reading->state == Reading::State::kScaled;
    run.quality = scaled ? Quality::kScaled : Quality::kExact;
    if (scaled) run.counted_ppm = static_cast<std::int64_t>(reading->share * 1e6);
  } else {
    row.counted = process.counted = false;
    process.reason = "the hardware counters were never scheduled, or taken away";
    run.warnings.push_back({"threads_uncounted", process.reason});
  }
  run.processes.push_back(std::move(process));
  run.threads.push_back(std::move(row));
  return run;
}

/// The event files of all kinds of core, in one.
void HardwareCollector::state_basis(RunCounts& run) const {
  CountBasis basis;
  for (const EventSet& set : *sets())
    for (const EmbeddedFile& file : embedded_event_files())
      if (file.name == set.table) {
        basis.name += (basis.name.empty() ? "" : "+") + set.table;
        basis.content += file.json;
      }
  if (!basis.name.empty()) run.basis = std::move(basis);
}

void HardwareCollector::state_unit(RunCounts& run) const {
  if (run.quality == Quality::kMissing) return;
  state_basis(run);
  if (is_off_) run.quality = poorer(run.quality, Quality::kApproximate);
  const std::string units = units_text(*sets());
  if (!units.empty()) {
    run.quality = poorer(run.quality, Quality::kApproximate);
    run.warnings.push_back({"units_of_counts", units});
    return;
  }
  if (is_off_) return;
  const double margin = margin_of(*sets());
  if (run.quality == Quality::kExact)
    run.error_ppm = static_cast<std::int64_t>(std::ceil(margin * 1e6));
  std::array<char, 64> percent{};
  std::snprintf(percent.data(), percent.size(), "%g", margin * 100);
  run.warnings.push_back({"hardware_margin", "counted by the hardware: exact within " +
                                                 std::string(percent.data()) +
                                                 " % for known work on this CPU"});
}

Result<RunCounts> HardwareCollector::counts() {
  if (!followed_) return failure("nothing was counted");
  if (!options_.follow && !tree_) return failure("the target was not started");
  RunCounts run = options_.follow ? followed_->counts() : tree_counts();
  run.warnings.insert(run.warnings.end(), warnings_.begin(), warnings_.end());
  estimate_vector_work(run);
  state_unit(run);
  return run;
}

Result<RunCounts> HardwareCollector::collect() {
  root_.end_ns = mono_ns() - start_ns_;
  auto run = counts();
  if (run) add_samples(*run);
  if (followed_) followed_->leave();
  regions_.reset();
  descriptors_.reset();
  return run;
}

Result<RunCounts> HardwareCollector::recover(const RunDirectory& /*directory*/) {
  return failure("hardware counters ended with the bops that held them, before its first snapshot",
                 "snapshots are taken once a second");
}

}  // namespace bops::pmu
