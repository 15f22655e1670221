// What is said of machines with an NVIDIA driver, from copies of their /proc.
#include "collectors/cuda/preflight.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/harness/subprocess.hpp"

namespace bops::cuda {
namespace {

class Preflight : public ::testing::Test {
 protected:
  Preflight() { ::unsetenv("CUDA_MPS_PIPE_DIRECTORY"); }
  void put(const std::string& path, const std::string& content) const {
    const std::filesystem::path file = root_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  [[nodiscard]] Machine machine() const { return {root_.path(), "/proc"}; }
  [[nodiscard]] std::string limits() const {
    std::string text;
    for (const Limit& limit : driver_limits(machine())) text += limit.message + "\n";
    return text;
  }
  harness::TemporaryDirectory root_;
};

TEST_F(Preflight, finds_nothing_to_count_where_there_is_no_driver) {
  if (std::filesystem::exists("/proc/driver/nvidia")) GTEST_SKIP() << "there is a driver here";
  const Probe probe = check_driver(machine());
  EXPECT_FALSE(probe.usable);
  EXPECT_TRUE(probe.nothing_to_count);
  EXPECT_EQ(probe.reason, "there is no NVIDIA driver on this machine");
  EXPECT_FALSE(probe.remedy.empty());
}

TEST_F(Preflight, tells_a_driver_without_its_library_from_no_driver) {
  if (std::filesystem::exists("/proc/driver/nvidia")) GTEST_SKIP() << "there is a driver here";
  put("/proc/driver/nvidia/version",
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\n");
  const Probe probe = check_driver(machine());
  EXPECT_FALSE(probe.usable);
  EXPECT_FALSE(probe.nothing_to_count);
  EXPECT_NE(probe.reason.find("535.183.01"), std::string::npos);
  EXPECT_NE(probe.remedy.find("--gpus"), std::string::npos);
}

TEST_F(Preflight, sees_mig_mps_and_other_profilers) {
  EXPECT_EQ(limits(), "");
  put("/proc/driver/nvidia/capabilities/gpu0/mig/gi1/access", "DeviceFileMinor: 12\n");
  EXPECT_NE(limits().find("MIG"), std::string::npos);
  put("/tmp/nvidia-mps/control", "");
  EXPECT_NE(limits().find("MPS"), std::string::npos);
  put("/proc/4711/comm", "nv-hostengine\n");
  put("/proc/4712/comm", "nv-hostengines\n");
  EXPECT_NE(limits().find("nv-hostengine (4711)"), std::string::npos);
  EXPECT_EQ(limits().find("4712"), std::string::npos);
  for (const Limit& limit : driver_limits(machine())) EXPECT_FALSE(limit.remedy.empty());
}

TEST_F(Preflight, a_gpu_that_is_not_divided_is_not_mig) {
  put("/proc/driver/nvidia/capabilities/gpu0/mig/config", "x");
  EXPECT_EQ(limits(), "");
}

TEST_F(Preflight, tells_administrators_what_restricted_counters_mean_for_others) {
  put("/proc/driver/nvidia/params", "EnableMSI: 1\nRmProfilingAdminOnly: 1\n");
  const bool told = limits().find("restricted") != std::string::npos;
  EXPECT_EQ(told, ::geteuid() == 0) << "others are refused already";
  put("/proc/driver/nvidia/params", "RmProfilingAdminOnly: 0\n");
  EXPECT_EQ(limits(), "");
}

}  // namespace
}  // namespace bops::cuda
