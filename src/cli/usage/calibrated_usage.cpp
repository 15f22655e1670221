#include "cli/usage/calibrated_usage.hpp"

#include <cmath>
#include <filesystem>

#include "platform/files.hpp"
#include "platform/host_identity.hpp"
#include "usage/digest.hpp"

namespace bops {

Result<DecodedEstimator> estimator_of(const Calibration& calibration, const std::string& file) {
  const auto bytes = read_file_whole(file, kLargestDocument);
  if (!bytes) return tl::unexpected(bytes.error());
  const UsageDependency dependency{std::filesystem::path(file).filename().string(),
                                   sha256_hex(*bytes)};
  return [calibration, file, dependency, host = read_host_identity()](
             const CollectorInfo& info, const RunCounts& counts) -> std::optional<DecodedEstimate> {
    RunRecord record;
    record.host = host;
    record.collectors.push_back(info);
    record.counts = counts;
    apply_calibration(calibration, file, record);
    if (!record.calibrated) return std::nullopt;
    DecodedEstimate estimate{record.calibrated->operations, std::nullopt, dependency};
    if (record.warnings.empty())
      estimate.rel_err_ppm = static_cast<std::int64_t>(
          std::ceil(record.calibrated->relative_error * static_cast<double>(kPpm)));
    return estimate;
  };
}

}  // namespace bops
