// The reference kernels of GPUs: how they are launched, and what their source asks for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bops::gpu_workload {

/// A count that the source fixes, in the words of a run record's `gpus`: "operations:fp32",
/// "warp.branches", "tensor_instructions:tensor_pipe", "beside:shared_stores".
struct Expectation {
  std::string what;
  std::uint64_t count;
  double within;  ///< of the count, 0: to the digit; compilers add a few of some kinds
};

struct KernelInfo {
  std::string name;
  std::string title;
  std::uint64_t size;  ///< if none is asked for
};

[[nodiscard]] const std::vector<KernelInfo>& kernels();

/// What a kernel of that size executes, all its launches together. The size is one that
/// is_size_of() accepts.
[[nodiscard]] std::vector<Expectation> expectations(const std::string& kernel, std::uint64_t size);

[[nodiscard]] bool is_size_of(const std::string& kernel, std::uint64_t size);

/// The shape of the kernels that do one thing: blocks of that many threads.
inline constexpr std::uint64_t kBlocks = 64;
inline constexpr std::uint64_t kGraphNodes = 4;  ///< of graph_launches
inline constexpr std::uint64_t kThreads = 128;
inline constexpr std::uint64_t kTriadThreads = 256;

/// Steps of the bitonic sort of `keys` keys, a power of two.
[[nodiscard]] std::uint64_t bitonic_steps(std::uint64_t keys);

}  // namespace bops::gpu_workload
