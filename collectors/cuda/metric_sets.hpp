// metric_sets/*.json as values: which metrics of CUPTI make up a count, per family of chips.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/error.hpp"
#include "model/gpu_counts.hpp"

namespace bops::cuda {

/// What a metric is taken for.
enum class Role : std::uint8_t {
  kWarpInstructions,
  kWarpLoads,
  kWarpStores,
  kWarpLoadsAndStores,
  kWarpBranches,
  kThreadInstructions,
  kThreadLoadsAndStores,
  kThreadBranches,
  kThreadAll,           ///< instructions of threads whose predicates were false, too
  kInstructions,        ///< of threads, of the type `of`
  kOperations,          ///< of threads, of the type `of`
  kTensorInstructions,  ///< of warps, of the unit `of`
  kTensorOperations,    ///< of the type `of`
  kBeside,              ///< of warps, of the kind `of`
  kDuration,            ///< ns
};

/// Metrics of one role (and `of`) are added up, each times `each`.
struct Metric {
  Role role = Role::kBeside;
  std::string of;
  std::int64_t each = 1;
  std::string name;  ///< CUPTI's, with its rollup: "smsp__inst_executed.sum"
};

struct MetricSet {
  GpuMetricSet description;  ///< passes are not known here
  bool user_range = false;   ///< made for ranges of many kernels, else for one kernel each
  std::uint64_t most_passes = 1;
  std::vector<Metric> metrics;
};

struct ChipFamily {
  std::string name;  ///< of the file, without suffix
  std::string title;
  std::vector<std::string> chips;  ///< CUPTI's names
  std::vector<std::string> compute_capabilities;
  std::vector<MetricSet> sets;
};

enum class Mode : std::uint8_t { kMeter, kProfile };
[[nodiscard]] std::string_view to_string(Mode mode);

/// Reads one file; fails with the place of what is wrong in it.
[[nodiscard]] Result<ChipFamily> read_chip_family(const std::string& name, std::string_view json);

/// The families that were there when this program was built, in the order of their names.
[[nodiscard]] const std::vector<ChipFamily>& chip_families();

/// The family of a chip; null if this build has no sets for it.
[[nodiscard]] const ChipFamily* family_of(std::string_view chip);

/// The sets that a mode collects together, in this order. `tensor_operations`: with that set of
/// operations by type, where the chip has one.
[[nodiscard]] std::vector<const MetricSet*> sets_of(const ChipFamily& family, Mode mode,
                                                    bool tensor_operations = false);

/// The metrics of several sets, each once, in order.
[[nodiscard]] std::vector<std::string> metric_names(const std::vector<const MetricSet*>& sets);

/// Values of metrics by name -> counts. What a set needs and `values` lacks is absent in them; so
/// is what is no count (negative or not finite).
[[nodiscard]] GpuCounts counts_of(const std::vector<const MetricSet*>& sets,
                                  const std::map<std::string, double>& values);

/// One metric of nvprof as a sum of today's metrics times their factors.
using NvprofNames = std::map<std::string, std::vector<std::pair<std::string, std::int64_t>>>;
[[nodiscard]] const NvprofNames& nvprof_names();

/// A file as it was built in.
struct EmbeddedFile {
  std::string_view name;  ///< without suffix
  std::string_view json;
};
[[nodiscard]] const std::vector<EmbeddedFile>& embedded_metric_sets();
[[nodiscard]] std::string_view embedded_nvprof_names();

}  // namespace bops::cuda
