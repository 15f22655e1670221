// GPU meters in usage records, on the CUDA double.
#include <gtest/gtest.h>

#include "tests/doubles/cuda/cuda_double.hpp"
#include "tests/harness/subprocess.hpp"
#include "tests/usage/written_usage.hpp"

namespace bops {
namespace {

using Json = nlohmann::json;

TEST(GpuUsage, sums_to_the_report_by_device_with_method_and_quality) {
  const harness::TemporaryDirectory machine, directory;
  cuda_double::write_machine(machine.path());
  for (const char* mode : {"meter", "profile"}) {
    auto variables = cuda_double::environment("chip=GH100", machine.path());
    variables["BOPS_STATE_DIR"] = directory / "state";
    variables["XDG_CONFIG_HOME"] = directory / "config";
    const std::string file = directory / (std::string(mode) + ".jsonl");
    const std::string report = directory / "report.json";
    const auto ended = harness::run({harness::bops_program(),
                                     "run",
                                     "--collector",
                                     "native",
                                     "--gpu",
                                     mode,
                                     "--usage",
                                     file,
                                     "--tenant",
                                     "acme",
                                     "--usage-interval",
                                     "20ms",
                                     "-o",
                                     report,
                                     "--",
                                     cuda_double::program(),
                                     "context:0",
                                     "launch:saxpy:16:256:7",
                                     "launch:gemm:8:96:3",
                                     "destroy"},
                                    variables);
    ASSERT_EQ(ended.code, 0) << ended.errors;
    const Json gpu = Json::parse(harness::read_file(report)).at("gpus").at(0);
    const auto records = written::records_of(file);
    for (const char* level : {"warp", "thread"}) {
      const std::string meter = std::string("gpu_") + level;
      const Json& measured = gpu.at(level);
      const auto expected = [&](const char* field) {
        return measured.is_null() ? 0U : measured.at(field).get<std::uint64_t>();
      };
      EXPECT_EQ(written::sum(records, meter + "_bops_formula"), expected("bops_formula")) << mode;
      EXPECT_EQ(written::sum(records, meter + "_instructions"), expected("instructions")) << mode;
    }
    EXPECT_GT(written::sum(records, "gpu_warp_bops_formula"), 0U);
    bool some = false;
    for (const UsageRecord& record : records) {
      if (!record.meter.starts_with("gpu_")) {
        EXPECT_FALSE(record.resource.contains("gpu.uuid"));
        continue;
      }
      some = true;
      EXPECT_EQ(record.subject, "acme");
      EXPECT_EQ(record.resource.at("gpu.uuid"), gpu.at("uuid"));
      EXPECT_EQ(record.method, UsageMethod::kDeviceProfiler);
      EXPECT_EQ(record.integrity, UsageIntegrity::kInTarget);
      EXPECT_EQ(record.coverage_ppm, kPpm);
      EXPECT_EQ(record.attrs.at("bops.gpu_mode"), mode);
      EXPECT_EQ(record.rel_err_ppm.has_value(), record.attrs.at("bops.quality") == "exact");
    }
    EXPECT_TRUE(some);
    const auto verified = harness::run({harness::bops_program(), "usage", "verify", file},
                                       {{"XDG_CONFIG_HOME", directory / "config"}});
    EXPECT_EQ(verified.code, 0) << verified.output;
  }
}

}  // namespace
}  // namespace bops
