#include "workloads/cuda/gpu_kernels.hpp"

#include <algorithm>
#include <bit>

namespace bops::gpu_workload {
namespace {

constexpr std::uint64_t kWarps = kBlocks * kThreads / 32;
constexpr double kLoop = 0.30;  ///< a loop's own branch and arithmetic around eight of a kind

}  // namespace

const std::vector<KernelInfo>& kernels() {
  static const std::vector<KernelInfo> all{
      {"stream_triad", "a = b + s c over size elements: 2 operations each", 1 << 22},
      {"matmul_fp32", "product of size x size matrices: 2 size^3 operations", 512},
      {"matmul_tensor", "the same on tensor cores, half to float", 512},
      {"bitonic_step", "bitonic sort of size keys", 1 << 18},
      {"only_sts", "size stores to shared memory by each thread", 1024},
      {"only_ldc", "size loads from constant memory by each thread", 1024},
      {"only_branches", "size branches of each thread", 4096},
      {"only_shuffles", "size shuffles of each thread", 1024},
      {"tiny_launches", "size launches of almost nothing", 100'000},
      {"graph_launches", "the same launches as graphs of four", 100'000},
      {"two_contexts", "the same launches in two contexts by turns", 100'000},
      {"only_hmma", "size matrix instructions m16n8k8 of each warp", 1024},
  };
  return all;
}

bool is_size_of(const std::string& kernel, std::uint64_t size) {
  if (size == 0 || size > (std::uint64_t{1} << 28)) return false;
  if (kernel == "matmul_fp32") return size <= 8192;
  if (kernel == "matmul_tensor") return size % 16 == 0 && size <= 8192;
  if (kernel == "bitonic_step") return std::has_single_bit(size) && size >= 1024;
  if (kernel == "stream_triad" || kernel == "only_branches" || kernel == "tiny_launches" ||
      kernel == "two_contexts")
    return true;
  if (kernel == "graph_launches") return size % kGraphNodes == 0;
  return size % 8 == 0;
}

std::uint64_t bitonic_steps(std::uint64_t keys) {
  const auto levels = static_cast<std::uint64_t>(std::bit_width(keys) - 1);
  return levels * (levels + 1) / 2;
}

std::vector<Expectation> expectations(const std::string& kernel, std::uint64_t size) {
  const std::uint64_t n = size;
  if (kernel == "stream_triad") return {{"operations:fp32", 2 * n, 0}};
  if (kernel == "matmul_fp32") return {{"operations:fp32", 2 * n * n * n, 0}};
  if (kernel == "matmul_tensor")  // m16n8k8 in 1024 multiply-adds, or m16n8k16 in 2048
    return {{"tensor_instructions:tensor_pipe", n * n * n / 2048, 1.0}};
  if (kernel == "bitonic_step") return {{"warp.loads", bitonic_steps(n) * n / 32, 0}};
  if (kernel == "only_sts") return {{"beside:shared_stores", kWarps * n, 0}};
  if (kernel == "only_ldc") return {{"warp.instructions", kWarps * n, 3.0}};
  if (kernel == "only_branches") return {{"warp.branches", kWarps * n, 0.01}};
  if (kernel == "only_shuffles") return {{"instructions:inter_thread", kWarps * 32 * n, kLoop}};
  if (kernel == "only_hmma") return {{"tensor_instructions:tensor_pipe", kWarps * n, 0}};
  return {};
}

}  // namespace bops::gpu_workload
