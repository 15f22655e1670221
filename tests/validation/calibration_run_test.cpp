// bops calibrate and bops run --calibration as a user meets them.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "tests/harness/subprocess.hpp"
#include "tests/validation/calibrated_prediction.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::read_file;
using harness::run;
using harness::target_program;
using harness::TemporaryDirectory;

Words calibrate(const std::string& file, const Words& options, const Words& command) {
  Words words = {bops_program(), "calibrate", "-o", file};
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

class Kernel : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(Kernel, of_64_times_the_input_is_predicted_within_the_stated_residual) {
  const auto& [build, kernel] = GetParam();
  if (workload(build).empty()) GTEST_SKIP() << "no compiler for " << build;
  if (std::string(build).ends_with("v3") && !__builtin_cpu_supports("avx2"))
    GTEST_SKIP() << "the CPU has no AVX2";
  const Prediction prediction = predict_kernel(build, kernel);
  ASSERT_EQ(prediction.failure, "");
  EXPECT_LE(prediction.actual, prediction.stated);
  EXPECT_EQ(prediction.record.dump().find("calibration_out_of_range"), std::string::npos);
  if (kernel != std::string("matmul")) {
    EXPECT_LT(prediction.stated, 0.25) << "wide enough to say nothing";
  }
  RecordProperty("stated", std::to_string(prediction.stated));
  RecordProperty("actual", std::to_string(prediction.actual));
}

INSTANTIATE_TEST_SUITE_P(Calibrated, Kernel,
                         testing::Combine(testing::Values("gcc-reference", "gcc-O2", "clang-O3-v3"),
                                          testing::Values("quicksort_lomuto", "stream", "matmul")),
                         [](const auto& kernel) {
                           std::string name = std::string(std::get<0>(kernel.param)) + "_" +
                                              std::get<1>(kernel.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(CalibratedXz, of_64_times_the_input_is_predicted_within_the_stated_residual) {
  const TemporaryDirectory directory;
  const auto command = [&directory](std::size_t size) {
    const std::string file = directory / std::to_string(size);
    write_text(file, size);
    return Words{"/usr/bin/xz", "-1", "-T1", "-kc", file};
  };
  if (::access("/usr/bin/xz", X_OK) != 0) GTEST_SKIP() << "xz is not installed";
  const Prediction prediction =
      predict({command(4'096), command(16'384), command(65'536)}, command(64UL * 65'536));
  ASSERT_EQ(prediction.failure, "");
  EXPECT_LE(prediction.actual, prediction.stated);
  EXPECT_LT(prediction.stated, 0.5);
}

TEST(CalibratedXz, of_64_times_the_only_input_is_predicted_within_the_stated_residual) {
  const TemporaryDirectory directory;
  const auto command = [&directory](std::size_t size) {
    const std::string file = directory / std::to_string(size);
    write_text(file, size);
    return Words{"/usr/bin/xz", "-1", "-T1", "-kc", file};
  };
  if (::access("/usr/bin/xz", X_OK) != 0) GTEST_SKIP() << "xz is not installed";
  const Prediction prediction = predict({command(65'536)}, command(64UL * 65'536));
  ASSERT_EQ(prediction.failure, "");
  EXPECT_LE(prediction.actual, prediction.stated);
  EXPECT_GE(prediction.stated, 0.1) << "one input cannot show the error of others";
}

TEST(BopsCalibrate, refuses_another_build_before_the_target_runs) {
  const TemporaryDirectory directory;
  const std::string file = directory / "busy_loop.json";
  ASSERT_EQ(run(calibrate(file, {}, {target_program("busy_loop"), "100000"})).code, 0);
  const std::string touched = directory / "touched";
  const auto refused =
      run({bops_program(), "run", "--calibration", file, "--", "/usr/bin/touch", touched});
  EXPECT_EQ(refused.code, 125);
  EXPECT_NE(refused.errors.find("bops calibrate"), std::string::npos) << refused.errors;
  EXPECT_NE(::access(touched.c_str(), F_OK), 0) << "the target ran";
  EXPECT_EQ(run({bops_program(), "run", "--calibration", "/etc/passwd", "--", "/bin/true"}).code,
            125);
}

TEST(BopsCalibrate, tells_how_far_the_estimate_is_off_where_operations_are_decoded) {
  const TemporaryDirectory directory;
  const std::string file = directory / "c.json";
  // Long: where memory lies moves the loader's counts a little.
  const Words command = {target_program("busy_loop"), "100000000"};
  ASSERT_EQ(run(calibrate(file, {"--collector", "native"}, command)).code, 0);
  const auto again = run({bops_program(), "run", "--collector", "native", "--calibration", file,
                          "--", command[0], command[1]});
  EXPECT_NE(again.errors.find("the estimate is off by 0.0 %"), std::string::npos) << again.errors;
}

TEST(BopsCalibrate, a_script_is_a_build_of_its_interpreter) {
  const TemporaryDirectory directory;
  const std::string script = directory / "script";
  std::ofstream(script) << "#!/bin/sh\ni=0; while [ $i -lt 200 ]; do i=$((i+1)); done\n";
  ::chmod(script.c_str(), 0755);
  const std::string file = directory / "c.json";
  ASSERT_EQ(run(calibrate(file, {}, {script})).code, 0);
  const auto calibration = nlohmann::json::parse(read_file(file));
  EXPECT_EQ(calibration.at("executable").at("path").get<std::string>().find(directory.path()),
            std::string::npos);
  EXPECT_EQ(run({bops_program(), "run", "--calibration", file, "-o", directory / "r.json", "--",
                 "/bin/sh", "-c", "true"})
                .code,
            0);
}

TEST(BopsCalibrate, leaves_out_the_words_of_a_redacted_command) {
  const TemporaryDirectory directory;
  const std::string file = directory / "c.json";
  ASSERT_EQ(run(calibrate(file, {"--redact"}, {"/bin/echo", "secret-word"})).code, 0);
  const auto calibration = nlohmann::json::parse(read_file(file));
  EXPECT_TRUE(calibration.at("command").is_null());
  EXPECT_EQ(calibration.dump().find("secret-word"), std::string::npos);
  EXPECT_EQ(calibration.at("schema"), "bops.calibration.v1");
  EXPECT_FALSE(calibration.at("libraries").empty()) << "the loader and the C library did the work";
}

TEST(BopsCalibrate, refuses_what_no_calibration_can_be_made_of) {
  const TemporaryDirectory directory;
  const std::string file = directory / "c.json";
  const auto refused = [&file](const Words& options, const Words& command, const char* why) {
    const auto ended = run(calibrate(file, options, command));
    EXPECT_EQ(ended.code, 125) << why;
    EXPECT_NE(ended.errors.find(why), std::string::npos) << ended.errors;
  };
  refused({}, {"/bin/false"}, "the command failed");
  refused({}, {target_program("die_by"), "9"}, "the command failed");
  refused({}, {}, "no command");
  refused({"--runs", "2"}, {"/bin/true"}, "--runs");
  refused({"--vary", directory / "missing"}, {"/bin/true"}, "missing");
  std::ofstream(directory / "other") << "/bin/echo\n";
  refused({"--vary", directory / "other"}, {"/bin/true"}, "calibrate each program by itself");
  EXPECT_EQ(run(calibrate("/no/such/directory/c.json", {}, {"/bin/true"})).code, 125);
}

}  // namespace
}  // namespace bops
