// What the quality of a run says of its usage records.
#pragma once

#include <cstdint>
#include <optional>

#include "model/collector.hpp"
#include "usage/usage_record.hpp"

namespace bops {

struct Evidence {
  UsageMethod method;
  UsageIntegrity integrity;
  std::int64_t coverage_ppm;
  std::optional<std::int64_t> rel_err_ppm;  ///< absent: unknown
  std::optional<UsageDependency> event_table;
};

/// Of the meters that a collector counts. Exact engines have no error, hardware counters that ran
/// all the time that of their self check; what was scaled, estimated or left out has none that is
/// known.
[[nodiscard]] Evidence evidence_of(const CollectorInfo& info, const RunCounts& counts);

/// Of the time that all processes of the run lived, the part of those that were counted.
[[nodiscard]] std::int64_t coverage_ppm_of(const RunCounts& counts);

/// Of the kernels that a GPU ran, the part of those whose counts are known.
[[nodiscard]] std::int64_t gpu_coverage_ppm_of(const GpuDeviceCounts& gpu);

}  // namespace bops
