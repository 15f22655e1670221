// A calibration over small inputs, and a run of a larger one whose estimate is checked.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bops {

using Words = std::vector<std::string>;

struct Prediction {
  std::string failure;    ///< what went wrong; empty if all went well
  double stated = 0;      ///< relative error of the estimate, as stated
  double actual = 0;      ///< counted operations from the estimate, relative to the estimate
  nlohmann::json record;  ///< of the large run
};

/// Calibrates over `small` commands (the first one, and the others by --vary), runs `large`.
[[nodiscard]] Prediction predict(const std::vector<Words>& small, const Words& large);

/// Path of bops-workload-BUILD; empty if its compiler was missing.
[[nodiscard]] std::string workload(const std::string& build);

/// predict() of a kernel of the workloads over three small sizes, for 64 times the input (matrix
/// products: 64 times the work).
[[nodiscard]] Prediction predict_kernel(const std::string& build, const std::string& kernel);

/// Text-like bytes, always the same.
void write_text(const std::string& path, std::size_t size);

}  // namespace bops
