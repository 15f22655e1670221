// The `gpus` of a run record, to JSON and back. Room-internal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "model/run_record.hpp"
#include "report/json_node.hpp"

namespace bops {

[[nodiscard]] nlohmann::ordered_json gpu_set_json(const GpuMetricSet& set);
[[nodiscard]] nlohmann::ordered_json gpu_json(const GpuDeviceCounts& gpu);
/// What a GPU did in an interval: without what the metrics mean, which the run's record tells.
[[nodiscard]] nlohmann::ordered_json gpu_interval_json(const GpuDeviceCounts& gpu);
/// What comes out equals what gpu_json() was given; complains where numbers do not agree.
[[nodiscard]] GpuDeviceCounts read_gpu(const JsonNode& row);

/// CPU and GPUs in one number, where their units allow it.
struct CombinedBops {
  std::optional<std::int64_t> bops_formula;
  std::string how;  ///< they were put together, or why not
};
/// Nothing where the record has no GPU.
[[nodiscard]] std::optional<CombinedBops> combined_bops(const RunRecord& record);

}  // namespace bops
