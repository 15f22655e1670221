#include "collectors/cuda/preflight.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

#include "collectors/cuda/problems.hpp"
#include "platform/files.hpp"
#include "platform/programs.hpp"

namespace bops::cuda {
namespace {

namespace fs = std::filesystem;

constexpr int kNeededCuda = 13000;  ///< of CUPTI 13, as cuDriverGetVersion() has it

std::string text_of(const std::string& path) {
  return read_file_whole(path).value_or("");
}

std::string driver_directory(const Machine& machine) {
  return machine.root + machine.proc + "/driver/nvidia";
}

/// "580.65.06" of "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 ...".
std::string kernel_module_version(const Machine& machine) {
  std::string text = text_of(driver_directory(machine) + "/version");
  text = text.substr(0, text.find('\n'));
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = std::string_view(text).substr(begin, end - begin);
    if (word.find('.') != std::string_view::npos &&
        std::isdigit(static_cast<unsigned char>(word.front())) != 0)
      return std::string(word);
    begin = end + 1;
  }
  return "";
}

/// The CUDA version that the driver's library supports, 13000 for 13.0; nothing without a library.
std::optional<int> driver_cuda_version() {
  void* library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return std::nullopt;
  int version = 0;
  using GetVersion = int (*)(int*);
  const auto get = reinterpret_cast<GetVersion>(::dlsym(library, "cuDriverGetVersion"));
  if (get == nullptr || get(&version) != 0) version = 0;
  return version;
}

std::optional<std::int64_t> parameter(const Machine& machine, std::string_view name) {
  const std::string text = text_of(driver_directory(machine) + "/params");
  const std::string word = std::string(name) + ": ";
  const std::size_t place = text.find(word);
  if (place == std::string::npos) return std::nullopt;
  return std::strtoll(text.c_str() + place + word.size(), nullptr, 10);
}

bool may_administrate() {
  constexpr std::uint64_t kSysAdmin = std::uint64_t{1} << 21;  // capabilities(7)
  const std::string text = text_of("/proc/self/status");
  const std::size_t place = text.find("CapEff:");
  return place != std::string::npos &&
         (std::strtoull(text.c_str() + place + 7, nullptr, 16) & kSysAdmin) != 0;
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

bool any_entry(const std::string& directory, std::string_view start) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error))
    if (entry.path().filename().string().starts_with(start)) return true;
  return false;
}

/// MIG instances show as capabilities/gpu0/mig/gi1 (driver documentation, "MIG device nodes").
bool has_mig(const Machine& machine) {
  std::error_code error;
  for (const auto& gpu : fs::directory_iterator(driver_directory(machine) + "/capabilities", error))
    if (any_entry(gpu.path().string() + "/mig", "gi")) return true;
  return false;
}

bool has_mps(const Machine& machine) {
  const char* named = std::getenv("CUDA_MPS_PIPE_DIRECTORY");
  const std::string directory = named != nullptr ? named : "/tmp/nvidia-mps";
  std::error_code error;
  return fs::exists(machine.root + directory + "/control", error);
}

/// Tools that take the counters for themselves, as the kernel names their processes.
std::string other_profilers(const Machine& machine) {
  constexpr std::array<std::string_view, 7> kNames{
      "nv-hostengine", "dcgm-exporter", "ncu", "nsys", "nsys-launcher", "nvprof", "dcgmproftester"};
  std::string found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(machine.root + machine.proc, error)) {
    if (std::isdigit(static_cast<unsigned char>(entry.path().filename().string().front())) == 0)
      continue;
    std::string comm = text_of(entry.path().string() + "/comm");
    if (!comm.empty() && comm.back() == '\n') comm.pop_back();
    if (std::find(kNames.begin(), kNames.end(), comm) != kNames.end())
      found += (found.empty() ? "" : ", ") + comm + " (" + entry.path().filename().string() + ")";
  }
  return found;
}

/// Only nvidia-smi tells; where there is none, CUPTI itself will, in the run.
bool has_confidential_computing() {
  const auto program = find_program("nvidia-smi");
  if (!program) return false;
  FILE* pipe = ::popen((*program + " conf-compute -f 2>/dev/null").c_str(), "re");
  if (pipe == nullptr) return false;
  std::string text;
  std::array<char, 256> buffer{};
  for (std::size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    text.append(buffer.data(), size);
  ::pclose(pipe);
  return text.find("CC status: ON") != std::string::npos;
}

Probe unusable(std::string reason, std::string remedy) {
  return {false, std::move(reason), std::move(remedy)};
}

}  // namespace

Machine this_machine() {
  const char* root = std::getenv("BOPS_NVIDIA_ROOT");
  return {root != nullptr ? root : "", "/proc"};
}

Probe check_driver(const Machine& machine) {
  const std::optional<int> cuda = driver_cuda_version();
  const std::string module = kernel_module_version(machine);
  if (!cuda && module.empty()) {
    Probe none = unusable("there is no NVIDIA driver on this machine",
                          "run on a machine with an NVIDIA GPU and its driver");
    none.nothing_to_count = true;
    return none;
  }
  if (!cuda)
    return unusable(
        "the NVIDIA driver " + module + " is loaded, but its library libcuda.so.1 is not found",
        "install the driver's user part; in a container, start it with the NVIDIA "
        "container toolkit (docker run --gpus all)");
  std::error_code error;
  const std::string gpus = driver_directory(machine) + "/gpus";
  if (fs::exists(gpus, error) && fs::is_empty(gpus, error)) {
    Probe none = unusable("the NVIDIA driver finds no GPU", "nvidia-smi tells more");
    none.nothing_to_count = true;
    return none;
  }
  if (*cuda < kNeededCuda)
    return unusable("the NVIDIA driver " + module + " supports CUDA " + version_text(*cuda) +
                        ", and CUPTI 13 needs " + version_text(kNeededCuda),
                    "install a newer driver (580 or later)");
  if (parameter(machine, "RmProfilingAdminOnly").value_or(0) == 1 && !may_administrate())
    return unusable("GPU counters are restricted to administrators (RmProfilingAdminOnly is 1)",
                    kRestrictedRemedy);
  if (const char* other = std::getenv("CUDA_INJECTION64_PATH"); other != nullptr && *other != '\0')
    return unusable("another tool is to be loaded into CUDA programs (CUDA_INJECTION64_PATH is " +
                        std::string(other) + "), and there can be only one",
                    "run without that tool, or unset CUDA_INJECTION64_PATH");
  return {true, module.empty() ? "" : "driver " + module + ", CUDA " + version_text(*cuda), ""};
}

std::vector<Limit> driver_limits(const Machine& machine) {
  std::vector<Limit> limits;
  if (has_mig(machine))
    limits.push_back(
        {"a GPU is divided (MIG): only a compute instance that has a GPU instance to "
         "itself can be profiled",
         "give the program such an instance, or turn MIG off"});
  if (has_mps(machine))
    limits.push_back({"the MPS daemon is running: CUPTI does not profile its clients",
                      "stop it with: echo quit | nvidia-cuda-mps-control"});
  if (has_confidential_computing())
    limits.push_back({"confidential computing is on: CUPTI does not profile under it",
                      "turn it off, or leave GPUs out with --gpu off"});
  if (const std::string others = other_profilers(machine); !others.empty())
    limits.push_back({"tools that may hold the GPU counters are running: " + others,
                      "end them, or pause DCGM's profiling with dcgmi profile --pause"});
  if (parameter(machine, "RmProfilingAdminOnly").value_or(0) == 1 && may_administrate())
    limits.push_back(
        {"GPU counters are restricted to administrators: a target that gives up its "
         "rights is not counted",
         kRestrictedRemedy});
  return limits;
}

}  // namespace bops::cuda
