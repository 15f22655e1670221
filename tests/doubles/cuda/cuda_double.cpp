#include "tests/doubles/cuda/cuda_double.hpp"

#include <filesystem>
#include <fstream>

namespace bops::cuda_double {

namespace {

bool is_checked(Build build) {
  return build == Build::kChecked && std::string(BOPS_CHECKED_DOUBLE) != "";
}

std::string directory(Build build) {
  return is_checked(build) ? BOPS_CHECKED_DOUBLE : BOPS_CUDA_DOUBLE;
}

}  // namespace

std::string program(Build build) {
  return directory(build) + "/program";
}

std::string injection(Build build) {
  return is_checked(build) ? BOPS_CHECKED_INJECTION : BOPS_INJECTION;
}

std::string cupti(Build build) {
  return directory(build) + "/libcupti.so.13";
}

std::string real_cupti() {
  return BOPS_REAL_CUPTI;
}

std::map<std::string, std::string> environment(const std::string& settings,
                                               const std::string& machine, Build build) {
  return {{"LD_LIBRARY_PATH", directory(build)},
          {"BOPS_CUPTI_LIBRARY", cupti(build)},
          {"BOPS_REAL_CUPTI", real_cupti()},
          {"BOPS_FAKE_CUDA", settings},
          {"BOPS_NVIDIA_ROOT", machine},
          {"ASAN_OPTIONS", "detect_leaks=0"}};  // what lives until the process ends is left
}

void write_machine(const std::string& directory, const std::string& params) {
  const std::string driver = directory + "/proc/driver/nvidia";
  std::filesystem::create_directories(driver + "/gpus/0000:01:00.0");
  std::ofstream(driver + "/version")
      << "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 07:19:39 UTC 2025\n"
         "GCC version:  gcc version 12.2.0\n";
  std::ofstream(driver + "/params") << "EnableMSI: 1\n" << params;
}

}  // namespace bops::cuda_double
