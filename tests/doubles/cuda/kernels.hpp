// What the kernels of the double execute: the test computes from it what bops must report.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace bops::cuda_double {

/// Instructions of one warp of a kernel.
struct Kernel {
  std::string_view name;
  std::uint64_t instructions;
  std::uint64_t loads;
  std::uint64_t stores;         ///< to global or local memory
  std::uint64_t shared_stores;  ///< STS
  std::uint64_t branches;       ///< EXIT is not among them
  std::uint64_t integer;
  std::uint64_t ffma;
  std::uint64_t tensor;
};

inline constexpr std::array<Kernel, 5> kKernels{{
    {"saxpy", 20, 2, 1, 0, 1, 8, 1, 0},
    {"stage", 31, 3, 1, 4, 2, 15, 0, 0},
    {"gemm", 97, 12, 4, 8, 3, 20, 5, 16},
    {"branchy", 1003, 1, 1, 0, 301, 600, 0, 0},
    {"large", 4'000'000'007, 1'000'000'001, 500'000'003, 0, 250'000'001, 1'000'000'000, 0, 0},
}};

inline constexpr Kernel kNoKernel{"", 0, 0, 0, 0, 0, 0, 0, 0};

[[nodiscard]] constexpr const Kernel& find_kernel(std::string_view name) {
  for (const Kernel& kernel : kKernels)
    if (kernel.name == name) return kernel;
  return kNoKernel;
}

[[nodiscard]] constexpr std::uint64_t warps(std::uint64_t blocks, std::uint64_t threads) {
  return blocks * ((threads + 31) / 32);
}

/// Of one matrix instruction, all of them TF32's.
inline constexpr std::uint64_t kTensorOperations = 4096;
inline constexpr std::uint64_t kLaunchNs = 1000;  ///< every launch takes that long

/// What one launch adds to a metric of CUPTI.
[[nodiscard]] inline std::uint64_t metric_value(std::string_view metric, const Kernel& kernel,
                                                std::uint64_t warp_count) {
  const auto is = [metric](std::string_view name) {
    return metric.size() == name.size() + 4 && metric.starts_with(name) && metric.ends_with(".sum");
  };
  if (is("gpu__time_duration")) return kLaunchNs;
  const std::uint64_t memory = kernel.loads + kernel.stores + kernel.shared_stores;
  std::uint64_t each = 0;
  if (is("smsp__inst_executed") || is("smsp__sass_inst_executed")) each = kernel.instructions;
  if (is("smsp__inst_executed_pipe_lsu")) each = memory;
  if (is("smsp__inst_executed_op_branch")) each = kernel.branches + 1;  // and EXIT
  if (metric.starts_with("smsp__inst_executed_pipe_tensor") &&
      metric.find("hfma2") == std::string_view::npos)
    each = kernel.tensor;
  if (is("sm__ops_path_tensor_src_tf32_dst_fp32")) each = kernel.tensor * kTensorOperations;
  if (is("smsp__sass_inst_executed_op_ld")) each = kernel.loads;
  if (is("smsp__sass_inst_executed_op_st")) each = kernel.stores;
  if (is("smsp__sass_inst_executed_op_shared_st")) each = kernel.shared_stores;
  if (is("smsp__sass_inst_executed_op_branch")) each = kernel.branches;
  if (is("smsp__sass_thread_inst_executed") || is("smsp__sass_thread_inst_executed_pred_on"))
    each = kernel.instructions * 32;
  if (is("smsp__sass_thread_inst_executed_op_memory_pred_on")) each = memory * 32;
  if (is("smsp__sass_thread_inst_executed_op_control_pred_on")) each = kernel.branches * 32;
  if (is("smsp__sass_thread_inst_executed_op_integer_pred_on")) each = kernel.integer * 32;
  if (is("smsp__sass_thread_inst_executed_op_ffma_pred_on")) each = kernel.ffma * 32;
  return each * warp_count;
}

}  // namespace bops::cuda_double
