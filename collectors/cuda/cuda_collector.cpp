#include "collectors/cuda/cuda_collector.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "collectors/cuda/chip_report.hpp"
#include "collectors/cuda/cupti_library.hpp"
#include "collectors/cuda/device_rows.hpp"
#include "collectors/cuda/preflight.hpp"
#include "collectors/cuda/wire.hpp"
#include "platform/files.hpp"
#include "platform/programs.hpp"

namespace bops::cuda {
namespace {

constexpr const char* kInjection = "libbops-cuda-injection.so";
constexpr std::uint64_t kFetchIntervalMs = 1000;
constexpr std::uint64_t kRanges = 512;

std::string counts_directory(const RunDirectory& directory) {
  return directory.path + "/cuda";
}

std::string plan_path(const RunDirectory& directory) {
  return counts_directory(directory) + "/plan";
}

/// For measurements of the collector itself: how often it fetches.
std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return otherwise;
  return std::strtoull(text, nullptr, 10);
}

void set_variable(std::vector<std::string>& environment, const std::string& name,
                  const std::string& value) {
  std::erase_if(environment,
                [&name](const std::string& entry) { return entry.starts_with(name + "="); });
  environment.push_back(name + "=" + value);
}

bool has_variable(const std::vector<std::string>& environment, const std::string& name) {
  return std::any_of(environment.begin(), environment.end(), [&name](const std::string& entry) {
    return entry.starts_with(name + "=") && entry.size() > name.size() + 1;
  });
}

std::string plan_text(Mode mode, bool tensor_operations, std::uint64_t fetch_ms,
                      const std::string& cupti, const std::string& output) {
  const auto line = [](const char* word, const std::string& value) {
    return std::string(word) + ' ' + value + '\n';
  };
  std::string text = std::string(wire::kPlanFirstLine) + '\n';
  text += line("mode", std::string(to_string(mode)));
  text += line("interval_ms",
               std::to_string(number_from_environment("BOPS_CUDA_INTERVAL_MS", fetch_ms)));
  text += line("ranges", std::to_string(number_from_environment("BOPS_CUDA_RANGES", kRanges)));
  text += line("most_passes", mode == Mode::kMeter ? "1" : "0");
  text += line("cupti", cupti);
  text += line("output", output);
  for (const ChipFamily& family : chip_families())
    for (const std::string& chip : family.chips) {
      text += line("chip", chip);
      for (const std::string& metric : metric_names(sets_of(family, mode, tensor_operations)))
        text += line("metric", metric);
    }
  return text;
}

class CudaCollector final : public Collector {
 public:
  [[nodiscard]] CollectorInfo info() const override {
    return {"cuda",
            "NVIDIA GPUs, beside the CPU's collector: CUPTI's counters in every CUDA program",
            "gpu_instructions",
            "user",
            "in_target",
            "native"};
  }
  [[nodiscard]] bool counts_gpus() const override { return true; }
  [[nodiscard]] std::vector<std::string> instruments() const override {
    return {kInjection, "libcupti.so", "libnvperf_host.so", "libnvperf_target.so"};
  }
  [[nodiscard]] Probe probe() const override;
  [[nodiscard]] std::vector<Limit> limits() const override {
    return check_driver(this_machine()).nothing_to_count ? std::vector<Limit>{}
                                                         : driver_limits(this_machine());
  }
  [[nodiscard]] Result<GpuChipReport> chip_report(const std::string& chip) const override {
    const auto host = HostMetrics::open();
    if (!host) return tl::unexpected(host.error());
    return cuda::chip_report(*host, chip);
  }
  [[nodiscard]] Result<void> configure(const CountingOptions& options) override {
    mode_ = options.gpu == GpuCounting::kProfile ? Mode::kProfile : Mode::kMeter;
    tensor_operations_ = options.tensor_operations;
    // What is to be shown has to be there by then.
    if (options.interval_ms > 0) fetch_ms_ = std::min(options.interval_ms, kFetchIntervalMs);
    return {};
  }
  [[nodiscard]] Result<void> prepare(LaunchPlan& plan, const RunDirectory& directory) override;
  [[nodiscard]] Result<void> on_thread_event(const ThreadEvent& /*event*/) override { return {}; }
  [[nodiscard]] Result<RunCounts> snapshot() override { return read(State::kRunning); }
  [[nodiscard]] Result<RunCounts> collect() override { return read(State::kEnded); }
  [[nodiscard]] Result<RunCounts> recover(const RunDirectory& directory) override {
    directory_ = counts_directory(directory);
    const auto plan = read_file_whole(plan_path(directory));
    mode_ =
        plan && plan->find("\nmode profile\n") != std::string::npos ? Mode::kProfile : Mode::kMeter;
    return read(State::kEnded);
  }

 private:
  [[nodiscard]] Result<RunCounts> read(State state) const;

  Mode mode_ = Mode::kMeter;
  bool tensor_operations_ = false;
  std::uint64_t fetch_ms_ = kFetchIntervalMs;
  std::string directory_;
};

Probe CudaCollector::probe() const {
  Probe driver = check_driver(this_machine());
  if (driver.nothing_to_count && HostMetrics::in_this_build()) return driver;
  // Then what this build and this machine's CUDA lack: CUPTI and its host library.
  if (const auto host = HostMetrics::open(); !host)
    return {false, host.error().message + (driver.nothing_to_count ? "; " + driver.reason : ""),
            host.error().remedy, driver.nothing_to_count};
  if (!find_library_file(kInjection))
    return {false, "bops's library for CUDA programs (" + std::string(kInjection) + ") is missing",
            "install all of bops"};
  return driver;
}

Result<void> CudaCollector::prepare(LaunchPlan& plan, const RunDirectory& directory) {
  const auto library = find_library_file(kInjection);
  if (!library) return failure(std::string(kInjection) + " is missing", "install all of bops");
  const auto cupti = CuptiLibrary::open();
  if (!cupti) return tl::unexpected(cupti.error());
  directory_ = counts_directory(directory);
  if (::mkdir(directory_.c_str(), 0700) != 0)
    return failure("cannot make the directory " + directory_ + ": " + std::strerror(errno),
                   "set BOPS_STATE_DIR to a directory with free space");
  const std::string path = plan_path(directory);
  const std::string text =
      plan_text(mode_, tensor_operations_, fetch_ms_, cupti->path(), directory_);
  if (auto written = write_file_whole(path, text, 0600); !written) return written;
  set_variable(plan.environment, "CUDA_INJECTION64_PATH", *library);
  set_variable(plan.environment, wire::kPlanVariable, path);
  // CUPTI tells of NVTX ranges only if NVTX finds it.
  if (mode_ == Mode::kProfile && !has_variable(plan.environment, "NVTX_INJECTION64_PATH"))
    set_variable(plan.environment, "NVTX_INJECTION64_PATH", cupti->path());
  return {};
}

Result<RunCounts> CudaCollector::read(State state) const {
  std::vector<WireFile> files;
  std::vector<Warning> warnings;
  std::error_code error;
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error))
    if (entry.path().extension() == wire::kFileSuffix) paths.push_back(entry.path().string());
  if (error)
    return failure("the counts of GPUs are gone from " + directory_ + ": " + error.message());
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    const auto bytes = read_file_whole(path);
    if (!bytes) return tl::unexpected(bytes.error());
    auto file = read_wire(*bytes);
    if (file)
      files.push_back(*std::move(file));
    else
      warnings.push_back({"gpu_counts_damaged", path + ": " + file.error().message});
  }
  RunCounts run = gpu_counts(files, mode_, state);
  if (!run.gpus.empty() && mode_ == Mode::kMeter)
    run.warnings.push_back({"gpu_metered",
                            "the meter counts warp instructions of all kernels together: threads, "
                            "operations by type and kernels are not measured; --gpu profile "
                            "measures them"});
  const bool lacks_operations =
      std::any_of(run.gpus.begin(), run.gpus.end(), [](const GpuDeviceCounts& gpu) {
        return gpu.counted > 0 && gpu.counts.tensor_operations.empty();
      });
  if (lacks_operations)
    run.warnings.push_back({"gpu_tensor_operations_not_measured",
                            "math operations of matrix instructions are not measured: each type "
                            "takes a pass of its own; --gpu profile --tensor-operations measures "
                            "them on a chip that can"});
  for (Warning& warning : warnings) run.warnings.push_back(std::move(warning));
  return run;
}

}  // namespace

std::unique_ptr<Collector> make_cuda_collector() {
  return std::make_unique<CudaCollector>();
}

}  // namespace bops::cuda
