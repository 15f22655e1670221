// Calibrations applied, refused, stored.
#include "validate/calibration.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "platform/elf_file.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::target_program;

CodeImage image_of(const std::string& path) {
  return {path, elf_build_id(path)};
}

Calibration calibration() {
  Calibration calibration;
  calibration.tool_version = "1.2.3";
  calibration.created = "2026-01-02T03:04:05Z";
  calibration.cpu = {"GenuineIntel", 6, 85, 7, "some CPU"};
  calibration.command = {"program", "\xff word"};
  calibration.executable = image_of(target_program("busy_loop"));
  calibration.libraries = {image_of(target_program("exit_with"))};
  calibration.exact_collector = "native";
  calibration.production_collector = "pmu";
  calibration.runs = 4;
  calibration.fit.ratio = 1.5;
  calibration.fit.residual = {0.01, 0.02, 0, 0.0125};
  calibration.fit.inputs = {{1000, 1400}, {2000, 3100}};
  calibration.fit.mix = {{0.2, 0.25}, {0.1, 0.1}, {0.15, 0.2}, {0.45, 0.55}};
  calibration.fit.formula_from = 900;
  calibration.fit.formula_to = 512'000;
  return calibration;
}

/// A run that fits the calibration: 10,000 formula BOPs.
RunRecord run_record() {
  RunRecord record;
  record.collectors.resize(1);
  record.collectors.front().name = "pmu";
  record.host.cpu = calibration().cpu;
  record.counts.quality = Quality::kExact;
  record.counts.threads.resize(1);
  record.counts.threads.front().counts.instructions = {20'000, 4'500, 2'000, 3'500};
  return record;
}

std::vector<std::string> codes(const RunRecord& record) {
  std::vector<std::string> codes;
  for (const Warning& warning : record.warnings) codes.push_back(warning.code);
  return codes;
}

TEST(Calibration, estimates_the_decoded_operations_with_their_error) {
  RunRecord record = run_record();
  apply_calibration(calibration(), "c.json", record);
  ASSERT_TRUE(record.calibrated);
  EXPECT_EQ(record.calibrated->operations, 3'100U + 12'000U);
  EXPECT_DOUBLE_EQ(record.calibrated->relative_error, 0.0425);
  EXPECT_EQ(record.calibrated->calibration_file, "c.json");
  EXPECT_EQ(record.calibrated->build_id, calibration().executable.build_id);
  EXPECT_TRUE(record.warnings.empty()) << record.warnings.front().message;
}

TEST(Calibration, warns_when_the_mix_has_moved) {
  RunRecord record = run_record();
  record.counts.threads.front().counts.instructions = {20'000, 6'000, 2'000, 3'500};
  apply_calibration(calibration(), "c.json", record);
  EXPECT_TRUE(record.calibrated);
  ASSERT_EQ(codes(record), std::vector<std::string>{"calibration_mix_moved"});
  EXPECT_NE(record.warnings.front().message.find("loads are 30.0 %"), std::string::npos);
  EXPECT_NE(record.warnings.front().message.find("formula BOPs are 42.5 %"), std::string::npos);
}

TEST(Calibration, warns_beyond_its_range_on_either_side) {
  for (const std::uint64_t scale : {1U, 100'000U}) {
    RunRecord record = run_record();
    record.counts.threads.front().counts.instructions =
        InstructionCounts{200, 45, 20, 35}.times(scale);
    apply_calibration(calibration(), "c.json", record);
    EXPECT_EQ(codes(record), std::vector<std::string>{"calibration_out_of_range"}) << scale;
  }
}

TEST(Calibration, warns_of_another_collector_and_of_another_cpu) {
  RunRecord record = run_record();
  record.collectors.front().name = "qemu";
  record.host.cpu.model = 86;
  apply_calibration(calibration(), "c.json", record);
  EXPECT_EQ(codes(record),
            (std::vector<std::string>{"calibration_other_collector", "calibration_other_cpu"}));
}

TEST(Calibration, gives_no_estimate_where_nothing_was_counted_or_the_formula_is_not_positive) {
  RunRecord missing = run_record();
  missing.counts.quality = Quality::kMissing;
  RunRecord negative = run_record();
  negative.counts.threads.front().counts.instructions.loads = 20'000;
  for (RunRecord* record : {&missing, &negative}) {
    apply_calibration(calibration(), "c.json", *record);
    EXPECT_FALSE(record->calibrated);
    EXPECT_EQ(codes(*record), std::vector<std::string>{"calibration_not_applied"});
  }
}

TEST(Calibration, is_for_one_build_of_the_program_and_of_its_libraries) {
  ASSERT_FALSE(calibration().executable.build_id.empty());
  EXPECT_TRUE(check_same_builds(calibration(), target_program("busy_loop")));
  const auto other = check_same_builds(calibration(), target_program("crash"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, FailureKind::kRefused);
  EXPECT_NE(other.error().remedy.find("calibrate"), std::string::npos);
  EXPECT_FALSE(check_same_builds(calibration(), "/etc/passwd"));
  Calibration updated = calibration();
  updated.libraries.front().build_id = "00";
  const auto library = check_same_builds(updated, target_program("busy_loop"));
  ASSERT_FALSE(library);
  EXPECT_NE(library.error().message.find("exit_with"), std::string::npos);
}

TEST(Calibration, names_the_libraries_that_do_a_thousandth_of_the_work) {
  RunCounts counts;
  const auto add = [&counts](std::string path, std::string build_id, std::uint64_t formula,
                             std::uint64_t operations) {
    Counts part = Counts::exact_zero();
    part.instructions.total = formula;
    part.operations->integer = operations;
    counts.images.push_back({std::move(path), std::move(build_id), part});
    counts.threads.push_back({});
    counts.threads.back().counts = part;
  };
  add("/program", "aa", 990'000, 990'000);
  add("/much", "bb", 5'000, 5'000);
  add("/much_decoded", "cc", 0, 5'000);
  add("/much_formula", "dd", 5'000, 0);
  add("/little", "ee", 500, 500);
  add("[vdso]", "", 5'000, 5'000);
  const std::vector<CodeImage> images = library_images(counts, "/program");
  ASSERT_EQ(images.size(), 3U);
  EXPECT_EQ(images[0], (CodeImage{"/much", "bb"}));
  EXPECT_EQ(images[1].path, "/much_decoded");
  EXPECT_EQ(images[2].path, "/much_formula");
}

TEST(Calibration, comes_back_from_its_file_unchanged) {
  for (const bool redacted : {false, true}) {
    Calibration written = calibration();
    if (redacted) written.command.reset();
    const auto read = calibration_from_json(render_json(written));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(render_json(*read), render_json(written));
    EXPECT_EQ(read->command, written.command);
    EXPECT_EQ(read->executable, written.executable);
    EXPECT_EQ(read->libraries, written.libraries);
    EXPECT_EQ(read->fit, written.fit);
    EXPECT_EQ(read->runs, 4U);
    EXPECT_EQ(read->production_collector, "pmu");
    EXPECT_EQ(read->cpu.model, 85U);
  }
}

TEST(Calibration, a_damaged_file_is_refused_with_the_field_that_is_wrong) {
  const auto damaged = [](const char* pointer, const nlohmann::json& value) {
    auto document = nlohmann::json::parse(render_json(calibration()));
    document[nlohmann::json::json_pointer(pointer)] = value;
    const auto read = calibration_from_json(document.dump());
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_EQ(damaged("/ratio", 0), "ratio must be positive");
  EXPECT_EQ(damaged("/residual", 0.5), "residual must be the sum of residual_parts");
  EXPECT_EQ(damaged("/residual_parts/inputs", -1), "residual_parts.inputs must not be negative");
  EXPECT_EQ(damaged("/schema", "bops.run.v1"), "schema must be bops.calibration.v1");
  EXPECT_EQ(damaged("/executable/build_id", ""), "executable must have a build_id");
  EXPECT_EQ(damaged("/mix/loads/lowest", 0.9), "mix.loads must not have its ends exchanged");
  EXPECT_EQ(damaged("/runs", "four"), "runs must be an integer between 0 and 4294967295");
  EXPECT_FALSE(calibration_from_json("{"));
  EXPECT_FALSE(calibration_from_json("[]"));
}

}  // namespace
}  // namespace bops
