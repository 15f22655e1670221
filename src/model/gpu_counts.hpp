// What GPUs executed for a run, kept apart from what CPUs did: the units differ.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/quality.hpp"

namespace bops {

/// The four counts at one level: warp instructions (32 threads each), or instructions of threads.
struct GpuFormulaCounts {
  std::uint64_t instructions = 0;
  std::optional<std::uint64_t> loads;   ///< absent where loads and stores are one count
  std::optional<std::uint64_t> stores;  ///< likewise
  std::uint64_t loads_and_stores = 0;
  std::uint64_t branches = 0;
  GpuFormulaCounts& operator+=(const GpuFormulaCounts& other);
  /// Subtracts an earlier state of the same counters.
  GpuFormulaCounts& operator-=(const GpuFormulaCounts& other);
  friend bool operator==(const GpuFormulaCounts&, const GpuFormulaCounts&) = default;
};

/// By kind: {"fp32", 1024}. A kind that was not measured is not in it.
using GpuAmounts = std::map<std::string, std::uint64_t>;

/// What was measured of one thing; what the metric sets of a run do not cover is absent, never 0.
struct GpuCounts {
  std::optional<GpuFormulaCounts> warp;
  std::optional<GpuFormulaCounts> thread;
  GpuAmounts operations;           ///< of threads, tensor work apart: "integer", "fp32", ...
  GpuAmounts instructions;         ///< of threads, by type
  GpuAmounts tensor_instructions;  ///< warp instructions, by unit
  GpuAmounts tensor_operations;    ///< by type of operands: "fp16_dst_fp32", ...
  GpuAmounts beside;               ///< warp instructions that the formula leaves in, by kind
  std::optional<std::uint64_t> duration_ns;  ///< of kernels, one after the other
  GpuCounts& operator+=(const GpuCounts& other);
  /// Subtracts an earlier state of the same counters; what that lacks was nothing yet.
  GpuCounts& operator-=(const GpuCounts& other);
  friend bool operator==(const GpuCounts&, const GpuCounts&) = default;
};

/// All launches of one kernel, in one shape, by one process; or of graphs of the same kernels.
struct GpuKernelCounts {
  pid_t pid = 0;
  std::string name;  ///< mangled, as the driver has it; "[graph]" for a whole graph
  std::array<std::uint32_t, 3> grid{};
  std::array<std::uint32_t, 3> block{};
  std::uint64_t launches = 0;
  GpuCounts counts;
  /// Of a graph: its kernels, and how often each is in it; empty: not known, or no graph.
  GpuAmounts graph_kernels{};
  friend bool operator==(const GpuKernelCounts&, const GpuKernelCounts&) = default;
};

/// All launches inside an NVTX range of one name, of one process; ranges inside it included.
struct GpuRegionCounts {
  pid_t pid = 0;
  std::string name;
  std::uint64_t launches = 0;
  GpuCounts counts;
  friend bool operator==(const GpuRegionCounts&, const GpuRegionCounts&) = default;
};

/// A set of metrics that was collected, and what its numbers mean.
struct GpuMetricSet {
  std::string name;     ///< "meter", "warp", "thread", "rich", "tensor", "tensor_operations"
  std::string title;    ///< one line for people
  std::string formula;  ///< in words
  std::string loads;    ///< what they include, likewise
  std::string stores;
  std::string branches;
  std::vector<std::string> leaves_in;  ///< loads, stores or branches that stay in the BOPs
  std::vector<std::string> takes_out;  ///< what is subtracted though it is none of them
  std::uint64_t passes = 0;            ///< how often a kernel runs to collect this set alone
  Quality quality = Quality::kApproximate;
  std::vector<std::string> metrics{};  ///< CUPTI's names; of a GPU's counts: those collected
  friend bool operator==(const GpuMetricSet&, const GpuMetricSet&) = default;
};

/// One GPU.
struct GpuDeviceCounts {
  std::uint32_t index = 0;   ///< as the process that used it first numbers it
  std::string name;          ///< "NVIDIA H100 80GB HBM3"
  std::string chip;          ///< CUPTI's: "GH100"
  std::string uuid;          ///< "GPU-01234567-...", tells GPUs of one run apart
  std::string mode;          ///< "meter" or "profile"
  std::uint64_t passes = 0;  ///< of all sets together
  std::vector<GpuMetricSet> sets;
  std::vector<pid_t> processes;
  std::uint64_t launches = 0;  ///< kernels and graphs that were started
  std::uint64_t counted = 0;   ///< of these, those whose counts are in `counts`
  std::uint64_t dropped = 0;   ///< those that CUPTI dropped for want of room
  GpuCounts counts;
  std::vector<GpuKernelCounts> kernels;  ///< profile only; they sum to `counts`
  std::vector<GpuRegionCounts> regions;  ///< profile only; they overlap where ranges are nested
  Quality quality = Quality::kMissing;
  friend bool operator==(const GpuDeviceCounts&, const GpuDeviceCounts&) = default;
};

/// A set that this build would use on a chip.
struct GpuChipSet {
  GpuMetricSet set;
  bool in_meter = false;    ///< of --gpu meter
  bool in_profile = false;  ///< of --gpu profile
};

/// What `bops doctor --chip` tells.
struct GpuChipReport {
  std::string chip;
  std::string family;
  std::vector<std::string> compute_capabilities;
  std::vector<GpuChipSet> sets;
  std::uint64_t meter_passes = 0;             ///< of all sets of the mode together
  std::uint64_t profile_passes = 0;           ///< likewise
  std::map<std::string, std::string> nvprof;  ///< nvprof's metric: the sum that it is
};

}  // namespace bops
