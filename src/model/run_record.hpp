// The result of one run, as every report shows it and as bops.run.v1 stores it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/collector.hpp"
#include "model/cpu_identity.hpp"
#include "model/run_counts.hpp"

namespace bops {

/// How the target ended: exactly one of the two is set, or none if it never ended under bops.
struct ExitStatus {
  std::optional<int> code;    ///< 0 ... 255
  std::optional<int> signal;  ///< signal number
  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

struct HostIdentity {
  std::string name;
  std::string kernel;  ///< uname: "Linux 6.1.0-18-amd64 x86_64"
  CpuIdentity cpu;
};

/// Resources of the target and its waited-for descendants, from wait4(2).
struct ResourceUsage {
  std::uint64_t user_cpu_ns = 0;
  std::uint64_t system_cpu_ns = 0;
  std::uint64_t max_resident_bytes = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
};

/// Spread of one number over the runs of --repeat.
struct RepeatStatistic {
  std::string name;  ///< the field of `totals`, or "wall_ns"
  double mean = 0;
  double standard_deviation = 0;  ///< of the sample (n - 1); 0 for one run
  double minimum = 0;
  double maximum = 0;
};

struct RepeatSummary {
  std::uint32_t runs = 0;
  std::vector<RepeatStatistic> statistics;
};

/// Decoded operations as a calibration of the same build predicts them from the formula.
struct CalibratedEstimate {
  std::uint64_t operations = 0;
  double relative_error = 0;     ///< of `operations`: 0.05 is +- 5 %
  std::string calibration_file;  ///< as named by the user
  std::string build_id;          ///< of the executable that was calibrated
  friend bool operator==(const CalibratedEstimate&, const CalibratedEstimate&) = default;
};

struct RunRecord {
  std::string tool_version;
  std::optional<std::vector<std::string>> command;  ///< absent under --redact
  std::string started;                              ///< RFC 3339, UTC
  std::uint64_t wall_ns = 0;
  ExitStatus exit;
  HostIdentity host;
  std::vector<CollectorInfo> collectors;
  std::map<std::string, std::string> labels;  ///< --label key=value
  RunCounts counts;                           ///< totals are counts.totals()
  /// Whether rates per second mean anything: false under an emulator.
  bool time_is_the_targets = true;
  std::optional<std::uint64_t> cycles;
  std::optional<ResourceUsage> resource_usage;
  std::optional<RepeatSummary> repeat;
  std::optional<CalibratedEstimate> calibrated;  ///< with --calibration, if it could be applied
  std::vector<Warning> warnings;  ///< of the run and its collectors, in order of discovery
};

/// The deltas of one --interval (schema bops.interval.v1).
struct IntervalRecord {
  std::uint64_t index = 0;
  std::uint64_t start_ns = 0;  ///< since the start of the run
  std::uint64_t end_ns = 0;
  Counts totals;                      ///< of this interval alone
  std::vector<ThreadCounts> threads;  ///< deltas; threads without any are left out
  /// Deltas, without kernels and regions; GPUs without any are left out.
  std::vector<GpuDeviceCounts> gpus{};
  Quality quality = Quality::kMissing;
};

}  // namespace bops
