#include "validate/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "model/bops.hpp"
#include "platform/elf_file.hpp"
#include "report/number_text.hpp"

namespace bops {
namespace {

constexpr double kImageThatMatters = 0.001;
constexpr const char* kRemedy = "calibrate this build: bops calibrate -- CMD [ARGS...]";

double formula_of(const Counts& counts) {
  return std::abs(static_cast<double>(bops_formula(counts.instructions)));
}

double operations_of(const Counts& counts) {
  return counts.operations ? static_cast<double>(counts.operations->total()) : 0;
}

std::string in_words(const std::string& build_id) {
  return build_id.empty() ? "without a build-id" : "build " + build_id;
}

void warn(RunRecord& record, const char* code, std::string message) {
  record.warnings.push_back({code, std::move(message)});
}

bool is_same_model(const CpuIdentity& a, const CpuIdentity& b) {
  return a.vendor == b.vendor && a.family == b.family && a.model == b.model;
}

void warn_of_other_conditions(const Calibration& calibration, RunRecord& record) {
  if (!record.collectors.empty() &&
      record.collectors.front().name != calibration.production_collector)
    warn(record, kCalibrationOtherCollector,
         "the calibration is for runs counted by " + calibration.production_collector +
             ", and this one was counted by " + record.collectors.front().name);
  if (!is_same_model(record.host.cpu, calibration.cpu))
    warn(record, kCalibrationOtherCpu,
         "the calibration was made on another CPU (" + calibration.cpu.name +
             "), for which programs may choose other code");
}

void warn_of_other_work(const CalibrationFit& fit, const InstructionCounts& counts,
                        RunRecord& record) {
  const auto formula = static_cast<std::uint64_t>(bops_formula(counts));
  if (formula < fit.formula_from || formula > fit.formula_to)
    warn(record, kCalibrationOutOfRange,
         "the stated error of the estimate is for runs of " + grouped(fit.formula_from) + " to " +
             grouped(fit.formula_to) +
             " formula BOPs: calibrate over inputs of the size of this one");
  const std::vector<std::string> moves = mix_moves(fit.mix, counts);
  if (moves.empty()) return;
  std::string message =
      "the program executes another mix of instructions than when it was "
      "calibrated, so that the error of the estimate may be larger:";
  for (const std::string& move : moves) message += (&move == &moves.front() ? " " : "; ") + move;
  warn(record, kCalibrationMixMoved, std::move(message));
}

}  // namespace

std::vector<CodeImage> library_images(const RunCounts& exact, const std::string& executable) {
  const Counts totals = exact.totals();
  std::vector<CodeImage> images;
  for (const ImageCounts& image : exact.images) {
    if (image.build_id.empty() || image.path == executable) continue;
    if (operations_of(image.counts) > kImageThatMatters * operations_of(totals) ||
        formula_of(image.counts) > kImageThatMatters * formula_of(totals))
      images.push_back({image.path, image.build_id});
  }
  return images;
}

Result<void> check_same_builds(const Calibration& calibration, const std::string& program) {
  if (const std::string build_id = elf_build_id(program);
      build_id != calibration.executable.build_id)
    return failure("the calibration is of " + calibration.executable.path + " " +
                       in_words(calibration.executable.build_id) + ", and " + program + " is " +
                       in_words(build_id),
                   kRemedy);
  for (const CodeImage& library : calibration.libraries)
    if (const std::string build_id = elf_build_id(library.path); build_id != library.build_id)
      return failure("the calibration used " + library.path + " " + in_words(library.build_id) +
                         ", and the one there now is " + in_words(build_id),
                     kRemedy);
  return {};
}

void apply_calibration(const Calibration& calibration, const std::string& file, RunRecord& record) {
  const InstructionCounts counts = record.counts.totals().instructions;
  const std::int64_t formula = bops_formula(counts);
  const bool measured = record.counts.quality != Quality::kMissing;
  if (!measured || formula <= 0) {
    warn(record, kCalibrationNotApplied,
         measured ? "the formula BOPs of this run are not positive: they predict nothing"
                  : "nothing was counted that an estimate could start from");
    return;
  }
  const double estimate = calibration.fit.estimate(static_cast<double>(formula));
  record.calibrated =
      CalibratedEstimate{static_cast<std::uint64_t>(std::llround(estimate)),
                         calibration.fit.residual.total(), file, calibration.executable.build_id};
  warn_of_other_conditions(calibration, record);
  warn_of_other_work(calibration.fit, counts, record);
}

}  // namespace bops
