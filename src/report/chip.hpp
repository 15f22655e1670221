// What `bops doctor --chip` says: the metric sets for a GPU's chip, and what they take.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "model/gpu_counts.hpp"

namespace bops {

/// A line per set, with what its loads, stores and branches include below it.
[[nodiscard]] std::string render_chip_text(const GpuChipReport& report, bool colour);

/// Schema bops.chip.v1.
[[nodiscard]] nlohmann::ordered_json to_json(const GpuChipReport& report);

/// The JSON indented, in pure ASCII, ending in a newline.
[[nodiscard]] std::string render_chip_json(const GpuChipReport& report);

}  // namespace bops
