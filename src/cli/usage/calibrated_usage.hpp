// Decoded operations in usage records of a collector that cannot decode, by a calibration.
#pragma once

#include <string>

#include "model/error.hpp"
#include "usage/usage_meter.hpp"
#include "validate/calibration.hpp"

namespace bops {

/// `file` is the one that the calibration was read from. An estimate of a run that the calibration
/// does not fit (another collector, CPU, mix or size) has no error bound.
[[nodiscard]] Result<DecodedEstimator> estimator_of(const Calibration& calibration,
                                                    const std::string& file);

}  // namespace bops
