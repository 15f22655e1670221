// What this build would measure on a chip: the answer of `bops doctor --chip`.
#pragma once

#include <string>

#include "collectors/cuda/host_metrics.hpp"
#include "model/gpu_counts.hpp"

namespace bops::cuda {

/// The sets for a chip with their passes, as the host library counts them. A chip that the library
/// or this build does not know is refused with the list of those that both know.
[[nodiscard]] Result<GpuChipReport> chip_report(const HostMetrics& host, const std::string& chip);

}  // namespace bops::cuda
