// What the library inside the target writes and bops reads: one file for each process, records that
// are only ever appended, so that whatever ends the process leaves what was written before.
//
// A file is the magic, then records: RecordHead, then `size` bytes of payload. Integers are little
// endian and unaligned; a text is its length (u32) and its bytes. A file that ends within a record
// was cut short by the end of its process, or by a full disk.
#pragma once

#include <array>
#include <cstdint>

namespace bops::cuda::wire {

inline constexpr std::array<char, 8> kMagic{'B', 'O', 'P', 'S', 'G', 'P', 'U', '2'};

/// In the environment of the target: the plan (see below).
inline constexpr const char* kPlanVariable = "BOPS_CUDA_PLAN";
inline constexpr const char* kFileSuffix = ".gpu";

enum class RecordType : std::uint32_t {
  /// i32 pid, i32 ppid, u64 CLOCK_MONOTONIC in ns, text executable. The first record.
  kProcess = 1,
  /// u32 context (1, 2, ...), u32 device index, text device name, text chip, text uuid, u64 passes,
  /// u32 number of metrics, and the name of each. Comes before all others of its context.
  kContext = 2,
  /// u32 context, u64 launches, 3 u32 grid, 3 u32 block, text kernel (none: all of them together),
  /// text NVTX ranges around it (outermost first, divided by the byte 0x1f), u32 graph (0: none, or
  /// not known what is in it), u32 number of values, and each as f64, in the order of the context's
  /// metrics: summed over the launches.
  kCounts = 3,
  /// u32 context, u64 launches, u64 dropped: since the process began.
  kLaunches = 4,
  /// u32 context (0: the process), i32 CUPTI's code (0: not CUPTI's), text what was called, text
  /// name of the code, text more about it.
  kProblem = 5,
  /// Nothing: the process has flushed everything at its end.
  kEnd = 6,
  /// u32 graph (1, 2, ...), u32 number of kernels, and of each its name as text and u64 how often
  /// it
  /// is in the graph. Comes before all counts of graphs of these kernels.
  kGraph = 7,
};

struct RecordHead {
  RecordType type;
  std::uint32_t size;  ///< of the payload, in bytes
};

/// No writer makes longer ones.
inline constexpr std::uint32_t kLongestPayload = 1 << 20;

/// Kernels of a graph that are named.
inline constexpr std::uint32_t kMostGraphKernels = 200;

inline constexpr char kRangeSeparator = '\x1f';

// The plan: lines of a word and its value.
//   bops-cuda-plan 1
//   mode meter|profile
//   interval_ms N    how often what was counted is fetched, while kernels are launched
//   ranges N         profile: kernels between two fetches
//   most_passes N    0: any number
//   cupti PATH
//   output DIRECTORY
//   images DIRECTORY scripts/gpu_check alone: the counter data is kept there, with its values
//   chip NAME        then the metrics of that chip, each on a line:
//   metric NAME
inline constexpr const char* kPlanFirstLine = "bops-cuda-plan 1";

}  // namespace bops::cuda::wire
