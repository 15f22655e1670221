// The published metric, stated once.
#pragma once

#include <cstdint>

#include "model/gpu_counts.hpp"
#include "model/instruction_counts.hpp"

namespace bops {

/// Formula BOPs = total - loads - stores - branches. An instruction in several classes is
/// subtracted once per class, so the result may be negative (call-heavy code); it is reported as
/// it is. Source: counting.md, after the published definition.
[[nodiscard]] constexpr std::int64_t bops_formula(const InstructionCounts& counts) {
  return static_cast<std::int64_t>(counts.total - counts.loads - counts.stores - counts.branches);
}

/// The same of a GPU, at the level of its warps or of its threads.
[[nodiscard]] inline std::int64_t bops_formula(const GpuFormulaCounts& counts) {
  return static_cast<std::int64_t>(counts.instructions - counts.loads_and_stores - counts.branches);
}

}  // namespace bops
