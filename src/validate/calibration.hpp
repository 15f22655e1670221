// A calibration: how many decoded operations a build of a program executes for each formula BOP, so
// that counters that cannot decode tell both. README.md says how the error is found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/cpu_identity.hpp"
#include "model/error.hpp"
#include "model/run_record.hpp"
#include "validate/calibration_fit.hpp"

namespace bops {

/// A build of a program or library.
struct CodeImage {
  std::string path;
  std::string build_id;  ///< lower-case hex
  friend bool operator==(const CodeImage&, const CodeImage&) = default;
};

struct Calibration {
  std::string tool_version;
  std::string created;  ///< RFC 3339, UTC
  CpuIdentity cpu;
  std::optional<std::vector<std::string>> command;  ///< of the first input; absent under --redact
  CodeImage executable;
  std::vector<CodeImage> libraries;  ///< those that matter (library_images()), the executable not
  std::string exact_collector;
  std::string production_collector;
  std::uint32_t runs = 0;  ///< of each input
  CalibrationFit fit;
};

// Warning codes that applying a calibration can leave in a record.
inline constexpr const char* kCalibrationMixMoved = "calibration_mix_moved";
inline constexpr const char* kCalibrationOutOfRange = "calibration_out_of_range";
inline constexpr const char* kCalibrationOtherCollector = "calibration_other_collector";
inline constexpr const char* kCalibrationOtherCpu = "calibration_other_cpu";
inline constexpr const char* kCalibrationNotApplied = "calibration_not_applied";

/// The images other than `executable` with a build-id that have more than 0.1 % of the decoded
/// operations, or of the formula BOPs, of a run.
[[nodiscard]] std::vector<CodeImage> library_images(const RunCounts& exact,
                                                    const std::string& executable);

/// Fails, with the remedy, unless `program` (program_behind() of the command) and the libraries are
/// of the builds that were calibrated. To be called before the target runs.
[[nodiscard]] Result<void> check_same_builds(const Calibration& calibration,
                                             const std::string& program);

/// Puts the estimate, and what makes it doubtful, into the record. `file` is the calibration's.
void apply_calibration(const Calibration& calibration, const std::string& file, RunRecord& record);

/// Schema bops.calibration.v1: indented, pure ASCII, ends in a newline.
[[nodiscard]] std::string render_json(const Calibration& calibration);

/// Reads what render_json() wrote. Errors name the field.
[[nodiscard]] Result<Calibration> calibration_from_json(std::string_view text);

}  // namespace bops
