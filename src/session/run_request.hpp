// What the user asked `bops run` for, less the reports.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/collector.hpp"

namespace bops {

/// `--gpu`: whether and how GPUs are counted.
enum class GpuChoice : std::uint8_t { kOff, kAuto, kMeter, kProfile };

struct RunRequest {
  std::vector<std::string> command;      ///< argv of the target, argv[0] as typed
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string collector = "auto";        ///< name of a collector, or "auto"
  bool require_pmu = false;              ///< refuse instead of falling back to an exact engine
  bool allow_uncounted = false;          ///< run a command that the collector cannot count
  bool redact = false;                   ///< leave the command's words out of every record
  std::map<std::string, std::string> labels;
  std::chrono::nanoseconds interval{0};  ///< 0: no interval records
  std::chrono::nanoseconds delay{0};     ///< count from then on; 0: from the start
  std::string control;                   ///< FIFO whose lines start and stop counting; empty: none
  bool with_kernel = false;              ///< count what the kernel executes for the target, too
  VectorCounting vector = VectorCounting::kOff;
  std::size_t vector_run = 0;       ///< as CountingOptions::vector_run
  std::uint64_t sample_period = 0;  ///< as CountingOptions::sample_period
  GpuChoice gpu = GpuChoice::kAuto;
  bool tensor_operations = false;  ///< as CountingOptions::tensor_operations
  bool follow = true;              ///< collectors may trace threads and children
};

}  // namespace bops
