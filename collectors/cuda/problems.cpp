#include "collectors/cuda/problems.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace bops::cuda {
namespace {

struct Reason {
  std::int32_t code;  ///< CUptiResult (cupti_result.h)
  std::string_view reason;
  std::string_view remedy;
};

constexpr std::array<Reason, 25> kReasons{{
    {1, "CUPTI takes a parameter for invalid", ""},
    {2, "CUPTI does not know the device", ""},
    {3, "the context is no longer valid", ""},
    {7, "CUPTI is not in a state for it", ""},
    {8, "there is not enough memory for the counters", ""},
    {9, "the GPU reports a hardware error", "nvidia-smi -q tells more"},
    {14, "the driver and CUPTI do not fit together",
     "install the CUPTI of a toolkit that the driver supports, or a newer driver"},
    {15, "CUPTI cannot be initialised",
     "check that libnvperf_host.so and libnvperf_target.so lie beside libcupti.so"},
    {17, "the GPU lacks one of the metrics", ""},
    {26, "the counters are taken by another tool (DCGM, Nsight, another CUPTI client)",
     "end it, or pause DCGM's profiling with dcgmi profile --pause"},
    {27, "the GPU or its configuration is not supported",
     "the range profiler needs Turing (compute capability 7.5) or later"},
    {31, "profiling does not work under MPS", "stop the MPS daemon for this run"},
    {33, "profiling is not enabled for this virtual GPU",
     "have profiling enabled for the vGPU by its administrator"},
    {34, "the kernel was compiled by a CUDA compiler that this CUPTI does not know",
     "install a newer CUPTI"},
    {35, "GPU counters are restricted to administrators", kRestrictedRemedy},
    {36, "the target already profiles with an older interface of CUPTI",
     "run the target without its own profiler"},
    {38, "the interface of CUPTI does not support this GPU", ""},
    {39,
     "another tool holds CUPTI (Nsight, compute-sanitizer, cuda-gdb, the target's own profiler)",
     "run without that tool"},
    {40, "this virtual GPU gives no rights to profile",
     "have profiling enabled for the vGPU by its administrator"},
    {41, "profiling does not work under confidential computing",
     "turn confidential computing off, or count with --gpu off"},
    {42, "crypto mining processors cannot be profiled", ""},
    {43, "profiling does not work on this MIG instance",
     "use a compute instance with the whole GPU instance, or turn MIG off"},
    {44, "profiling does not work with SLI", "turn SLI off"},
    {45, "profiling does not work in this WSL", "use a newer driver and WSL 2"},
    {46, "this CUPTI does not know the GPU's chip", "install a newer CUPTI"},
}};

}  // namespace

std::string describe(const WireFile::Problem& problem) {
  std::string text;
  const auto* const reason =
      std::find_if(kReasons.begin(), kReasons.end(),
                   [&problem](const Reason& row) { return row.code == problem.code; });
  const bool known = reason != kReasons.end();
  if (problem.call == "dlopen")
    text = "NVIDIA's profiling library cannot be used in the target: " + problem.more;
  else if (problem.code == 0)
    text = problem.more + " (" + problem.call + ")";
  else
    text = known ? std::string(reason->reason) : "CUPTI failed for a reason of its own";
  if (problem.code != 0) {
    text += " (CUPTI error " + std::to_string(problem.code);
    if (!problem.name.empty()) text += ", " + problem.name;
    text += ", from " + problem.call + ")";
    if (!problem.more.empty()) text += ": " + problem.more;
  }
  if (known && !reason->remedy.empty()) text += "; " + std::string(reason->remedy);
  return text;
}

}  // namespace bops::cuda
