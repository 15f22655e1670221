// bops where there is no GPU, and in a build without CUDA, whose GPU parts are absent.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/harness/subprocess.hpp"

namespace bops::cuda {
namespace {

using harness::bops_program, harness::run;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

constexpr const char* kAbsent =
    "this build of bops has no GPU parts: CMake found no CUDA toolkit with CUPTI";

class NoGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::filesystem::exists("/proc/driver/nvidia")) GTEST_SKIP() << "there is a driver here";
  }
  harness::TemporaryDirectory state_;
};

TEST_F(NoGpu, auto_is_as_without_it) {
  const Words command{harness::known_asm_program("straight_line")};
  const auto with = harness::count(command, {"--gpu", "auto", "--collector", "native"});
  const auto without = harness::count(command, {"--gpu", "off", "--collector", "native"});
  ASSERT_EQ(with.ended.code, 0);
  EXPECT_EQ(with.record.at("totals").at("instructions"),
            without.record.at("totals").at("instructions"));
  EXPECT_EQ(with.record.at("collectors"), without.record.at("collectors"));
  EXPECT_EQ(with.record.at("warnings"), without.record.at("warnings"));
  EXPECT_EQ(with.record.at("quality"), "exact");
  EXPECT_TRUE(with.record.at("gpus").empty());
  EXPECT_EQ(with.ended.errors, without.ended.errors);
}

TEST_F(NoGpu, meter_and_profile_say_what_is_missing_before_the_target_starts) {
  for (const char* mode : {"meter", "profile"}) {
    const std::string made = state_ / mode;
    const auto ended = run({bops_program(), "run", "--collector", "native", "--gpu", mode, "--",
                            "/usr/bin/touch", made});
    EXPECT_EQ(ended.code, 125);
    EXPECT_NE(ended.errors.find("there is no NVIDIA driver on this machine"), std::string::npos)
        << ended.errors;
    EXPECT_EQ(ended.errors.find(kAbsent) != std::string::npos, !BOPS_HAS_CUPTI) << ended.errors;
    EXPECT_FALSE(std::filesystem::exists(made));
  }
}

TEST_F(NoGpu, validate_says_why_it_cannot) {
  const auto ended = run({bops_program(), "validate", "--gpu"});
  EXPECT_EQ(ended.code, 125);
  EXPECT_NE(ended.errors.find("there is no GPU to validate on: "), std::string::npos)
      << ended.errors;
  EXPECT_NE(ended.errors.find("there is no NVIDIA driver"), std::string::npos) << ended.errors;
}

TEST_F(NoGpu, doctor_says_what_is_missing_and_what_to_do) {
  const auto ended = run({bops_program(), "doctor", "--json"});
  const Json report = Json::parse(ended.output);
  bool found = false;
  for (const Json& collector : report.at("collectors")) {
    if (collector.at("name") != "cuda") continue;
    found = true;
    EXPECT_FALSE(collector.at("usable"));
    const std::string reason = collector.at("reason"), remedy = collector.at("remedy");
    EXPECT_NE(reason.find("there is no NVIDIA driver"), std::string::npos) << reason;
    EXPECT_EQ(reason.find(kAbsent) != std::string::npos, !BOPS_HAS_CUPTI) << reason;
    EXPECT_EQ(remedy.find("install the CUDA toolkit") != std::string::npos, !BOPS_HAS_CUPTI);
    EXPECT_FALSE(remedy.empty());
  }
  EXPECT_TRUE(found);
}

TEST_F(NoGpu, a_build_without_cuda_says_so_of_a_chip) {
  if (BOPS_HAS_CUPTI) GTEST_SKIP() << "this build has CUDA";
  const auto ended = run({bops_program(), "doctor", "--chip", "GH100"});
  EXPECT_EQ(ended.code, 125);
  EXPECT_NE(ended.errors.find(kAbsent), std::string::npos) << ended.errors;
  EXPECT_NE(ended.errors.find("install the CUDA toolkit"), std::string::npos) << ended.errors;
}

TEST_F(NoGpu, doctor_tells_of_a_chip_all_the_same) {
  if (!BOPS_HAS_CUPTI) GTEST_SKIP() << "this build has no CUPTI";
  const auto text = run({bops_program(), "doctor", "--chip", "GH100"});
  ASSERT_EQ(text.code, 0) << text.errors;
  EXPECT_NE(text.output.find("--gpu meter takes 1 pass"), std::string::npos);
  const auto json = run({bops_program(), "doctor", "--chip", "TU102", "--json"});
  const Json report = Json::parse(json.output);
  EXPECT_EQ(report.at("schema"), "bops.chip.v1");
  EXPECT_EQ(report.at("meter_passes"), 1);
  const auto unknown = run({bops_program(), "doctor", "--chip", "GX999"});
  EXPECT_EQ(unknown.code, 125);
  EXPECT_NE(unknown.errors.find("GH100"), std::string::npos) << unknown.errors;
}

}  // namespace
}  // namespace bops::cuda
