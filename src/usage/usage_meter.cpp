#include "usage/usage_meter.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "usage/host_source.hpp"
#include "usage/key_store.hpp"
#include "usage/usage_sink.hpp"

namespace bops {
namespace {

/// While nothing can be written no more records than these are made: later ones are longer instead.
constexpr std::size_t kMaxPending = 10'000;

}  // namespace

UsageMeter::UsageMeter(UsageOptions options, std::optional<Tenant> tenant, ChainWriter writer)
    : options_(std::move(options)),
      tenant_(std::move(tenant)),
      writer_(std::move(writer)),
      by_tenant_(options_.by_region) {}

Result<std::unique_ptr<UsageMeter>> UsageMeter::open(UsageOptions options) {
  if (!options.work_from.empty())
    if (auto url = WorkScraper::check_url(options.work_from); !url)
      return tl::unexpected(url.error());
  std::optional<Tenant> tenant;
  if (!options.by_region) {
    auto found = find_tenant(options.tenant, read_cgroup_identity(::getpid()), kHostTenantFile);
    if (!found) return tl::unexpected(found.error());
    tenant = *std::move(found);
  }
  auto key = signing_key(options.key_file, host_source());
  if (!key) return tl::unexpected(key.error());
  const std::string source = new_run_source();
  auto sink = open_sink(options.target, source, options.second_places);
  if (!sink) return tl::unexpected(sink.error());
  std::unique_ptr<UsageMeter> meter(
      new UsageMeter(std::move(options), std::move(tenant),
                     ChainWriter(source, *std::move(key), *std::move(sink))));
  meter->timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!meter->timer_)
    return failure(std::string("cannot make a timer for --usage: ") + std::strerror(errno),
                   "raise the limit of open files (ulimit -n)");
  // Before the first line: a file of records that has no checkpoint at all has lost them.
  if (auto begun = meter->writer_.checkpoint(now_on_both_clocks().utc, false); !begun)
    return tl::unexpected(begun.error());
  return meter;
}

UsageMeter::~UsageMeter() {
  if (!timeline_ && !recovered_) (void)writer_.checkpoint(now_on_both_clocks().utc, true);
}

void UsageMeter::start(const CollectorInfo* info, pid_t target, const std::string& build_id,
                       const VariableLookup& environment,
                       const std::optional<std::vector<pid_t>>& attached) {
  if (info != nullptr) info_ = *info;
  attached_ = attached.has_value();
  target_ = target;
  resource_ = job_attributes(environment);
  resource_["host.id"] = host_id();
  if (target != 0) resource_["process.pid"] = target;
  const CgroupIdentity cgroup = read_cgroup_identity(target);
  resource_["container.id"] = cgroup.container.empty() ? "unknown" : cgroup.container;
  if (!cgroup.pod.empty()) resource_["k8s.pod.uid"] = cgroup.pod;
  if (!cgroup.slurm_job.empty()) resource_["slurm.job_id"] = cgroup.slurm_job;
  if (!build_id.empty()) resource_["process.executable.build_id"] = build_id;
  started_ = now_on_both_clocks();
  timeline_.emplace(started_, options_.interval);
  if (attached) (void)cpu_.of_processes(attached_pids_ = *attached);
  if (!options_.work_from.empty())
    scraper_ = std::make_unique<WorkScraper>(options_.work_from, !attached_);
  arm_timer();
}

void UsageMeter::arm_timer() {
  const auto left = timeline_->until_cut(now_on_both_clocks()).count();
  const itimerspec once{{0, 0}, {left / kNsPerSecond, left % kNsPerSecond}};
  (void)::timerfd_settime(timer_.get(), 0, &once, nullptr);
}

bool UsageMeter::is_due() const {
  return timeline_ && timeline_->until_cut(now_on_both_clocks()).count() <= 1;
}

void UsageMeter::read_served_work(MeterReadings& readings) {
  if (!scraper_) return;
  const WorkScraper::State state = scraper_->read();
  scraping_problem_ = state.current ? "" : state.problem;
  for (const auto& [unit, amount] : state.total)
    readings[{"", meter_of_work(unit)}] = static_cast<std::int64_t>(amount);
}

void UsageMeter::read_cpu_time(const RunCounts* counts, std::optional<std::uint64_t> whole,
                               MeterReadings& readings) {
  CpuTime time;
  if (whole) {
    time = {*whole, 2000};
  } else if (attached_) {
    if (counts != nullptr) {
      attached_pids_.clear();
      for (const ProcessCounts& process : counts->processes)
        if (!process.end_ns) attached_pids_.push_back(process.pid);
    }
    time = cpu_.of_processes(attached_pids_);
  } else {
    time = cpu_.of_descendants();
  }
  cpu_complete_ = time.complete;
  cpu_uncertain_before_ns_ = std::exchange(cpu_uncertain_ns_, time.uncertain_ns);
  readings[{"", "cpu_time"}] = static_cast<std::int64_t>(time.used_ns);
}

void UsageMeter::write(bool final) {
  last_write_ = writer_.append(pending_);
  if (!last_write_) return;
  pending_.clear();
  last_write_ = writer_.checkpoint(now_on_both_clocks().utc, final);
}

RunReadings UsageMeter::readings_of_run(const RunCounts* counts) {
  RunReadings readings;
  if (counts == nullptr) return readings;
  if (info_ && counts->quality != Quality::kMissing) {
    readings = readings_of(*counts);
    read_estimate(*counts, readings.meters);
  }
  readings.meters.merge(gpu_readings_of(*counts));
  by_tenant_ |= readings.by_tenant;
  tenants_overlap_ |= readings.tenants_overlap;
  regions_lost_ |= readings.regions_lost;
  not_counted_.insert(readings.not_counted.begin(), readings.not_counted.end());
  return readings;
}

void UsageMeter::read_estimate(const RunCounts& counts, MeterReadings& readings) {
  estimate_.reset();
  if (!options_.estimate || readings.contains({"", "bops_decoded"})) return;
  estimate_ = options_.estimate(*info_, counts);
  if (estimate_) readings[{"", "bops_decoded"}] = static_cast<std::int64_t>(estimate_->operations);
}

void UsageMeter::cut_at(const RunCounts* counts, std::optional<std::uint64_t> cpu_ns, bool final) {
  RunReadings readings = readings_of_run(counts);
  read_served_work(readings.meters);
  read_cpu_time(counts, cpu_ns, readings.meters);
  for (const auto& [unit, amount] : options_.work) {
    // What is declared replaces what the target says of the same unit.
    for (auto reading = readings.meters.begin(); reading != readings.meters.end();)
      reading = reading->first.meter == unit ? readings.meters.erase(reading) : std::next(reading);
    if (final) readings.meters[{"", unit}] = static_cast<std::int64_t>(amount);
  }
  if (final || pending_.size() < kMaxPending)
    make_records(counts, readings.meters, timeline_->cut(now_on_both_clocks()), final);
  write(final);
}

void UsageMeter::cut(const RunCounts* counts) {
  std::uint64_t expirations = 0;
  (void)!::read(timer_.get(), &expirations, sizeof(expirations));
  cut_at(counts, std::nullopt, false);
  arm_timer();
}

Result<void> UsageMeter::finish(const RunCounts* counts, std::optional<std::uint64_t> cpu_ns) {
  if (!timeline_) return {};  // nothing was metered
  cut_at(counts, cpu_ns, true);
  if (!last_write_)
    return failure("usage records are lost: " + last_write_.error().message,
                   "the chain is whole up to its last line; " + last_write_.error().remedy);
  if (kept_back_ > 0)
    return failure(std::to_string(kept_back_) +
                       " usage records whose error is not known were not written, as --strict asks",
                   "bops doctor tells which collector counts exactly");
  return {};
}

}  // namespace bops
