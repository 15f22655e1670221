#include "tests/doubles/cuda/cuda_double.hpp"

#include <filesystem>
#include <fstream>

namespace bops::cuda_double {

std::string program() {
  return std::string(BOPS_CUDA_DOUBLE) + "/program";
}

std::string injection() {
  return BOPS_INJECTION;
}

std::string cupti() {
  return std::string(BOPS_CUDA_DOUBLE) + "/libcupti.so.13";
}

std::string real_cupti() {
  return BOPS_REAL_CUPTI;
}

std::map<std::string, std::string> environment(const std::string& settings,
                                               const std::string& machine) {
  return {{"LD_LIBRARY_PATH", BOPS_CUDA_DOUBLE},
          {"BOPS_CUPTI_LIBRARY", cupti()},
          {"BOPS_REAL_CUPTI", real_cupti()},
          {"BOPS_FAKE_CUDA", settings},
          {"BOPS_NVIDIA_ROOT", machine}};
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
