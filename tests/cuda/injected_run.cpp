#include "tests/cuda/injected_run.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "collectors/cuda/wire.hpp"
#include "tests/doubles/cuda/cuda_double.hpp"
#include "tests/doubles/cuda/kernels.hpp"

namespace bops::cuda {

namespace {

constexpr auto kBuild = cuda_double::Build::kChecked;

}  // namespace

InjectedRun run_injected(const std::vector<std::string>& words, const Injection& injection) {
  const harness::TemporaryDirectory directory;
  const std::string plan = directory / "plan";
  std::ofstream text(plan);
  text << wire::kPlanFirstLine << "\nmode " << to_string(injection.mode) << "\ninterval_ms "
       << injection.interval_ms << "\nranges " << injection.ranges << "\nmost_passes "
       << (injection.mode == Mode::kMeter ? 1 : 0) << "\ncupti "
       << (injection.cupti.empty() ? cuda_double::cupti(kBuild) : injection.cupti) << "\noutput "
       << directory.path() << '\n';
  for (const char* chip : {"GH100", "TU102", "GB202"}) {
    text << "chip " << chip << '\n';
    for (const std::string& metric : metric_names(sets_of(*family_of(chip), injection.mode)))
      text << "metric " << metric << '\n';
  }
  text.close();

  auto variables = cuda_double::environment(injection.settings, directory.path(), kBuild);
  variables["CUDA_INJECTION64_PATH"] = cuda_double::injection(kBuild);
  variables[wire::kPlanVariable] = plan;
  std::vector<std::string> command{cuda_double::program(kBuild)};
  command.insert(command.end(), words.begin(), words.end());
  InjectedRun run;
  run.ended = harness::run(command, variables);
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    if (entry.path().extension() != wire::kFileSuffix) continue;
    auto file = read_wire(harness::read_file(entry.path().string()));
    if (file) run.files.push_back(*std::move(file));
  }
  std::sort(run.files.begin(), run.files.end(),
            [](const WireFile& a, const WireFile& b) { return a.start_mono_ns < b.start_mono_ns; });
  return run;
}

GpuCounts expected_counts(Mode mode, const std::string& kernel, std::uint64_t blocks,
                          std::uint64_t threads, std::uint64_t launches) {
  const auto sets = sets_of(*family_of("GH100"), mode);
  std::map<std::string, double> values;
  for (const std::string& metric : metric_names(sets))
    values[metric] = static_cast<double>(
        launches * cuda_double::metric_value(metric, cuda_double::find_kernel(kernel),
                                             cuda_double::warps(blocks, threads)));
  return counts_of(sets, values);
}

}  // namespace bops::cuda
