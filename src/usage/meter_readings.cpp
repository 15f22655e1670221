#include "usage/meter_readings.hpp"

#include <optional>
#include <tuple>

#include "model/bops.hpp"
#include "usage/usage_record.hpp"

namespace bops {
namespace {

using ThreadKey = std::tuple<pid_t, pid_t, std::uint64_t>;

struct TenantShare {
  Counts counts = Counts::exact_zero();
  Work work;
  bool counted = true;
};
using Shares = std::map<std::string, TenantShare>;

bool is_tenant_region(const RegionCounts& region) {
  return region.name.size() > kTenantRegion.size() && region.name.starts_with(kTenantRegion);
}

/// What the regions of tenants claim, thread by thread.
std::map<ThreadKey, Shares> shares_by_thread(const RunCounts& counts) {
  std::map<ThreadKey, Shares> shares;
  for (const RegionCounts& region : counts.regions) {
    if (!is_tenant_region(region)) continue;
    TenantShare& share = shares[{region.pid, region.tid, region.thread_start_ns}]
                               [region.name.substr(kTenantRegion.size())];
    // What the region did is known all the same.
    add_work(share.work, region.work);
    share.counted &= region.counted;
    if (region.counted) share.counts += region.counts;
  }
  return shares;
}

std::uint64_t instructions_of(const Shares& shares) {
  std::uint64_t sum = 0;
  for (const auto& [tenant, share] : shares) sum += share.counts.instructions.total;
  return sum;
}

void add(MeterReadings& meters, const std::string& subject, const Counts& counts,
         const Work& work) {
  meters[{subject, "bops_formula"}] += bops_formula(counts.instructions);
  meters[{subject, "instructions"}] += static_cast<std::int64_t>(counts.instructions.total);
  if (counts.operations)
    meters[{subject, "bops_decoded"}] += static_cast<std::int64_t>(counts.operations->total());
  for (const auto& [unit, amount] : work)
    meters[{subject, meter_of_work(unit)}] += static_cast<std::int64_t>(amount);
}

}  // namespace

std::string meter_of_work(const std::string& unit) {
  if (is_known_meter(unit) && !unit.starts_with("bops_") && unit != "instructions" &&
      unit != "cpu_time" && !unit.starts_with("gpu_"))
    return unit;
  std::string meter = "work_";
  for (const char c : unit.substr(0, 64 - meter.size())) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    meter += upper ? static_cast<char>(c - 'A' + 'a') : (plain ? c : '_');
  }
  return meter.size() > 5 ? meter : "work_unnamed";
}

RunReadings readings_of(const RunCounts& counts) {
  RunReadings readings;
  add(readings.meters, "", counts.totals(), counts.total_work());
  std::map<ThreadKey, std::uint64_t> instructions;
  for (const ThreadCounts& thread : counts.threads)
    instructions[{thread.pid, thread.tid, thread.start_ns}] = thread.counts.instructions.total;
  MeterReadings claimed;
  for (const auto& [thread, shares] : shares_by_thread(counts)) {
    readings.by_tenant = true;
    const bool overlap = instructions_of(shares) > instructions[thread];
    readings.tenants_overlap |= overlap;
    for (const auto& [tenant, share] : shares) {
      if (overlap || !share.counted) readings.not_counted.insert(tenant);
      add(claimed, tenant, overlap ? Counts::exact_zero() : share.counts,
          overlap ? Work{} : share.work);
    }
  }
  for (const Warning& warning : counts.warnings)
    readings.regions_lost |=
        warning.code == "regions_not_counted" || warning.code == "regions_merged";
  const bool decoded = readings.meters.contains({"", "bops_decoded"});
  for (const auto& [key, amount] : claimed) {
    if (key.meter == "bops_decoded" && !decoded) continue;
    readings.meters[{"", key.meter}] -= amount;
    readings.meters[key] += amount;
  }
  return readings;
}

MeterReadings gpu_readings_of(const RunCounts& counts) {
  MeterReadings meters;
  for (const GpuDeviceCounts& gpu : counts.gpus) {
    const auto add_level = [&](const std::string& level,
                               const std::optional<GpuFormulaCounts>& measured) {
      if (!measured) return;
      meters[{"", "gpu_" + level + "_instructions", gpu.uuid}] +=
          static_cast<std::int64_t>(measured->instructions);
      meters[{"", "gpu_" + level + "_bops_formula", gpu.uuid}] += bops_formula(*measured);
    };
    add_level("warp", gpu.counts.warp);
    add_level("thread", gpu.counts.thread);
    if (gpu.counts.duration_ns)
      meters[{"", "gpu_time", gpu.uuid}] += static_cast<std::int64_t>(*gpu.counts.duration_ns);
  }
  return meters;
}

}  // namespace bops
