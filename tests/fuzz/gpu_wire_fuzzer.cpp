// The reader of what the library inside CUDA programs wrote, on any bytes: never crashes, and what
// it makes of them agrees with itself.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/cuda/device_rows.hpp"
#include "collectors/cuda/wire_reader.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = bops::cuda::read_wire({reinterpret_cast<const char*>(data), size});
  if (!file) return 0;
  for (const auto& counts : file->counts) {
    const auto* context = file->find_context(counts.context);
    if (context == nullptr || context->metrics.size() != counts.values.size()) std::abort();
    if (counts.graph != 0 && !file->graphs.contains(counts.graph)) std::abort();
  }
  const bops::RunCounts run = bops::cuda::gpu_counts({*file}, bops::cuda::Mode::kProfile);
  for (const bops::GpuDeviceCounts& gpu : run.gpus) {
    if (gpu.counted > gpu.launches) std::abort();
    std::uint64_t launches = 0;
    for (const bops::GpuKernelCounts& kernel : gpu.kernels) launches += kernel.launches;
    if (launches != gpu.counted) std::abort();
  }
  return 0;
}
