// What the source of a GPU kernel asks for, against what was counted of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/error.hpp"
#include "model/gpu_counts.hpp"

namespace bops::validate {

/// One count that a kernel's source fixes.
struct GpuExpectation {
  std::string kernel;
  std::string what;  ///< "operations:fp32", "warp.branches", "beside:shared_stores", ...
  std::uint64_t count = 0;
  double within = 0;  ///< of the count; 0: to the digit
};

struct GpuKernel {
  std::string name;
  std::string title;
  std::uint64_t size = 0;
  std::vector<GpuExpectation> expectations;
};

/// Reads what `bops-gpu-workload list` prints.
[[nodiscard]] Result<std::vector<GpuKernel>> read_gpu_kernels(std::string_view json);

/// The count of that name in the vocabulary above; nothing if it was not measured.
[[nodiscard]] std::optional<std::uint64_t> measured(const GpuCounts& counts, std::string_view what);

/// Whether a count is as near to what is expected as it has to be. One below the expected count is
/// none of a compiler's additions: it may be lower by a hundredth of `within` at most.
[[nodiscard]] bool holds(const GpuExpectation& expectation, std::uint64_t count);

}  // namespace bops::validate
