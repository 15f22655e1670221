#include "usage/run_evidence.hpp"

#include <algorithm>

#include "usage/digest.hpp"

namespace bops {

std::int64_t coverage_ppm_of(const RunCounts& counts) {
  std::uint64_t run_end = 0;
  for (const ProcessCounts& process : counts.processes)
    run_end = std::max({run_end, process.start_ns, process.end_ns.value_or(0)});
  for (const ThreadCounts& thread : counts.threads)
    run_end = std::max(run_end, thread.end_ns.value_or(thread.start_ns));
  unsigned __int128 whole = 0, counted = 0;
  bool all = true;
  for (const ProcessCounts& process : counts.processes) {
    const std::uint64_t lived = process.end_ns.value_or(run_end) - process.start_ns;
    whole += lived;
    if (process.counted) counted += lived;
    all &= process.counted;
  }
  if (all || whole == 0) return kPpm;
  const auto ppm = static_cast<std::int64_t>(counted * static_cast<std::uint64_t>(kPpm) / whole);
  return std::min(ppm, kPpm - 1);  // what was left out must be seen
}

std::int64_t gpu_coverage_ppm_of(const GpuDeviceCounts& gpu) {
  if (gpu.launches == 0 || gpu.counted >= gpu.launches) return kPpm;
  return static_cast<std::int64_t>(static_cast<unsigned __int128>(gpu.counted) *
                                   static_cast<std::uint64_t>(kPpm) / gpu.launches);
}

Evidence evidence_of(const CollectorInfo& info, const RunCounts& counts) {
  const bool decodes = info.integrity == "in_target";
  Evidence evidence{UsageMethod::kCounted, UsageIntegrity::kInTarget, coverage_ppm_of(counts),
                    std::nullopt, std::nullopt};
  if (!decodes) {
    evidence.integrity = UsageIntegrity::kKernel;
    evidence.method =
        counts.quality == Quality::kScaled ? UsageMethod::kHwScaled : UsageMethod::kHwExact;
  }
  if (counts.quality == Quality::kExact)
    evidence.rel_err_ppm = decodes ? std::optional<std::int64_t>(0) : counts.error_ppm;
  evidence.coverage_ppm = std::min(evidence.coverage_ppm, counts.counted_ppm);
  if (counts.basis) evidence.event_table = {counts.basis->name, sha256_hex(counts.basis->content)};
  return evidence;
}

}  // namespace bops
