// What the meters of a run read becomes records: what is new since the last ones, and how sure it
// is.
#include <algorithm>

#include "model/version.hpp"
#include "usage/run_evidence.hpp"
#include "usage/usage_meter.hpp"

namespace bops {
namespace {

std::string unit_of(const std::string& meter) {
  const bool of_gpu = meter.starts_with("gpu_");
  if (meter.starts_with("bops_") || (of_gpu && meter.ends_with("_bops_formula")))
    return "operations";
  if (meter == "instructions" || (of_gpu && meter.ends_with("_instructions")))
    return "instructions";
  if (meter == "cpu_time" || meter == "gpu_time") return "ns";
  if (meter.starts_with("tokens")) return "tokens";
  return meter.starts_with("work_") ? meter.substr(5) : meter;
}

bool is_counted_by_collector(const std::string& meter) {
  return meter.starts_with("bops_") || meter == "instructions";
}

bool is_formula(const std::string& meter) {
  return meter == "bops_formula";
}

std::uint64_t ppm_of(std::uint64_t part, std::uint64_t whole) {
  const unsigned __int128 scaled = static_cast<unsigned __int128>(part) * kPpm;
  return static_cast<std::uint64_t>((scaled + whole - 1) / whole);
}

const GpuDeviceCounts* gpu_of(const RunCounts* counts, const std::string& uuid) {
  if (counts == nullptr || uuid.empty()) return nullptr;
  for (const GpuDeviceCounts& gpu : counts->gpus)
    if (gpu.uuid == uuid) return &gpu;
  return nullptr;
}

}  // namespace

bool UsageMeter::is_unknown(const MeterKey& key) const {
  if (lost_.contains(key)) return true;
  return !key.subject.empty() && is_counted_by_collector(key.meter) &&
         not_counted_.contains(key.subject);
}

void UsageMeter::set_evidence_of_counts(UsageRecord& record, const MeterKey& key,
                                        const RunCounts& counts) const {
  const Evidence evidence = evidence_of(*info_, counts);
  record.method = evidence.method;
  record.integrity = evidence.integrity;
  record.coverage_ppm = evidence.coverage_ppm;
  record.rel_err_ppm = evidence.rel_err_ppm;
  record.event_table = evidence.event_table;
  if (key.meter == "bops_decoded" && estimate_) {
    record.method = UsageMethod::kModel;
    record.calibration = estimate_->calibration;
    // The bound is of the whole run so far: what is in several records has none.
    const auto written = written_.find(key);
    const bool is_whole = written == written_.end() || written->second == 0;
    record.rel_err_ppm = evidence.rel_err_ppm && is_whole ? estimate_->rel_err_ppm : std::nullopt;
  }
  // What is shared has what was some tenant's in it.
  if (key.subject.empty() && (by_tenant_ || !tenant_) &&
      (tenants_overlap_ || regions_lost_ || !not_counted_.empty()))
    record.rel_err_ppm.reset();
}

void UsageMeter::set_evidence(UsageRecord& record, const MeterKey& key,
                              const RunCounts* counts) const {
  record.coverage_ppm = kPpm;
  record.method = UsageMethod::kCounted;
  record.integrity = UsageIntegrity::kInTarget;
  if (!key.gpu.empty()) {
    record.method = UsageMethod::kDeviceProfiler;
    record.coverage_ppm = 0;
    if (const GpuDeviceCounts* gpu = gpu_of(counts, key.gpu)) {
      record.coverage_ppm = gpu_coverage_ppm_of(*gpu);
      if (gpu->quality == Quality::kExact && record.coverage_ppm == kPpm) record.rel_err_ppm = 0;
    }
  } else if (is_counted_by_collector(key.meter)) {
    if (info_ && counts != nullptr) set_evidence_of_counts(record, key, *counts);
  } else if (key.meter == "cpu_time") {
    record.integrity = UsageIntegrity::kKernel;
    if (record.quantity > 0 && cpu_complete_)
      record.rel_err_ppm = static_cast<std::int64_t>(
          ppm_of(cpu_uncertain_ns_ + cpu_uncertain_before_ns_, record.quantity));
  } else {
    record.rel_err_ppm = 0;
    if (options_.work.contains(key.meter)) {
      record.integrity = UsageIntegrity::kExternal;
      record.attrs["declared"] = true;
    } else if (scraper_ && !scraping_problem_.empty()) {
      // What was served since the last answer is not in it.
      record.rel_err_ppm.reset();
    }
  }
  if (is_unknown(key)) {
    record.coverage_ppm = 0;
    record.rel_err_ppm.reset();
    record.attrs["bops.not_counted"] = true;
  }
}

UsageRecord UsageMeter::record_of(const MeterKey& key, const RunCounts* counts) const {
  UsageRecord record;
  const bool is_shared = key.subject.empty() && (by_tenant_ || !tenant_);
  record.subject = !key.subject.empty() ? key.subject
                   : is_shared          ? std::string(kSharedSubject)
                                        : tenant_->name;
  // Which tenant a region is of, the target itself says.
  record.tenant_source = key.subject.empty() && tenant_ ? tenant_->source : TenantSource::kDeclared;
  record.meter = key.meter;
  record.unit = unit_of(key.meter);
  record.resource = resource_;
  for (const auto& [name, value] : options_.labels) record.attrs[name] = value;
  record.attrs["bops.version"] = kVersion;
  if (recovered_) record.attrs["bops.recovered"] = true;
  if (!key.gpu.empty()) {
    record.resource["gpu.uuid"] = key.gpu;
    record.attrs["bops.collector"] = "cuda";
    if (const GpuDeviceCounts* gpu = gpu_of(counts, key.gpu)) {
      record.resource["gpu.name"] = gpu->name;
      record.attrs["bops.gpu_mode"] = gpu->mode;
      record.attrs["bops.quality"] = to_string(gpu->quality);
    }
    return record;
  }
  if (info_) {
    record.attrs["bops.collector"] = info_->name;
    record.attrs["bops.unit"] = info_->unit;
  }
  if (counts != nullptr) record.attrs["bops.quality"] = to_string(counts->quality);
  if (is_shared && tenants_overlap_) record.attrs["bops.tenants_overlap"] = true;
  if (is_shared && by_tenant_ && (regions_lost_ || !not_counted_.empty()))
    record.attrs["bops.tenants_not_counted"] = true;
  return record;
}

MeterReadings UsageMeter::without_what_tenants_have(MeterReadings readings) const {
  for (const auto& [key, written] : written_) {
    if (key.subject.empty()) continue;
    const auto reading = readings.find(key);
    const std::int64_t now = reading == readings.end() ? 0 : reading->second;
    if (now >= written) continue;
    if (const auto shared = readings.find({"", key.meter, key.gpu}); shared != readings.end())
      shared->second -= written - now;
  }
  return readings;
}

void UsageMeter::make_records(const RunCounts* counts, const MeterReadings& all_readings,
                              const std::vector<TimeSlice>& slices, bool final) {
  const MeterReadings readings = without_what_tenants_have(all_readings);
  for (const auto& [key, reading] : readings) {
    std::int64_t& written = written_[key];
    // A reading may be lower than before (the formula of call-heavy code): the next ones pay it
    // off.
    const std::int64_t added = std::max<std::int64_t>(0, reading - written);
    const std::int64_t over =
        final && is_formula(key.meter) && written > reading ? written - reading : 0;
    const bool always = key.subject.empty() && is_counted_by_collector(key.meter);
    const bool tell = over > 0 || (is_unknown(key) && told_unknown_.insert(key).second);
    if (added == 0 && !always && !tell) continue;
    const auto amount = std::min(static_cast<std::uint64_t>(added), kMaxQuantity);
    UsageRecord record = record_of(key, counts);
    record.quantity = amount;
    set_evidence(record, key, counts);
    if (options_.strict && !record.rel_err_ppm) {
      ++kept_back_;
      continue;
    }
    if (over > 0) {
      record.attrs["bops.over"] = std::to_string(over);
      over_.push_back({record.subject, key.meter, over});
    }
    written += static_cast<std::int64_t>(amount);
    const auto parts = divide_by_time(amount, slices);
    for (std::size_t i = 0; i < slices.size(); ++i) {
      record.quantity = parts[i];
      record.start = slices[i].start;
      record.end = slices[i].end;
      record.mono_ns = slices[i].mono_ns;
      if (slices[i].divided) record.attrs["bops.divided_at_hour"] = true;
      if (slices[i].clock_step_ns != 0)
        record.attrs["bops.clock_step_ns"] = slices[i].clock_step_ns;
      pending_.push_back(record);
    }
  }
}

std::vector<Warning> UsageMeter::warnings() const {
  std::vector<Warning> warnings;
  for (const Over& over : over_)
    warnings.push_back(
        {"usage_over", "the usage records of " + over.subject + " have " +
                           std::to_string(over.amount) + " more " + over.meter +
                           " than the run: towards its end the formula went down, and what was "
                           "written before is not taken back"});
  if (by_tenant_ && (regions_lost_ || !not_counted_.empty()))
    warnings.push_back({"usage_tenants_not_counted",
                        "regions of tenants have no counts: what ran in them is in the records of "
                        "the subject shared, marked"});
  return warnings;
}

}  // namespace bops
