#include "collectors/cuda/device_rows.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "collectors/cuda/problems.hpp"

namespace bops::cuda {
namespace {

/// More kernels than that share one row: a program that compiles kernels as it goes is bounded.
constexpr std::size_t kMostKernels = 10'000;

using Sizes = std::array<std::uint32_t, 3>;
using KernelKey = std::tuple<pid_t, std::string, Sizes, Sizes, GpuAmounts>;

struct Row {
  GpuDeviceCounts gpu;
  std::vector<const MetricSet*> sets;
  std::map<KernelKey, std::size_t> kernels;  ///< place in gpu.kernels
};

bool has_metric(const WireFile::Context& context, const std::string& metric) {
  return std::find(context.metrics.begin(), context.metrics.end(), metric) != context.metrics.end();
}

/// The sets of which metrics were collected: mostly all of them.
std::vector<const MetricSet*> collected_sets(const WireFile::Context& context, Mode mode) {
  std::vector<const MetricSet*> sets;
  const ChipFamily* family = family_of(context.chip);
  if (family == nullptr) return sets;
  for (const MetricSet* set : sets_of(*family, mode, /*tensor_operations=*/true)) {
    const auto& metrics = set->description.metrics;
    const bool any = std::any_of(metrics.begin(), metrics.end(), [&](const std::string& metric) {
      return has_metric(context, metric);
    });
    if (any) sets.push_back(set);
  }
  return sets;
}

GpuCounts counts_of_record(const WireFile::Context& context, const WireFile::Counts& record,
                           const std::vector<const MetricSet*>& sets) {
  std::map<std::string, double> values;
  for (std::size_t i = 0; i < context.metrics.size(); ++i)
    values[context.metrics[i]] = record.values[i];
  return counts_of(sets, values);
}

void add_counts(GpuCounts& sum, const GpuCounts& more, bool first) {
  if (first)
    sum = more;
  else
    sum += more;
}

void add_kernel(Row& row, const WireFile& file, const WireFile::Counts& record,
                const GpuCounts& counts) {
  KernelKey key{file.pid, record.kernel, record.grid, record.block, {}};
  if (const auto graph = file.graphs.find(record.graph); graph != file.graphs.end())
    std::get<GpuAmounts>(key) = graph->second;
  if (row.kernels.size() >= kMostKernels && !row.kernels.contains(key))
    key = {0, "[others]", {}, {}, {}};
  const auto [place, is_new] = row.kernels.try_emplace(key, row.gpu.kernels.size());
  if (is_new)
    row.gpu.kernels.push_back({std::get<0>(key),
                               std::get<1>(key),
                               std::get<2>(key),
                               std::get<3>(key),
                               0,
                               {},
                               std::get<4>(key)});
  GpuKernelCounts& kernel = row.gpu.kernels[place->second];
  kernel.launches += record.launches;
  add_counts(kernel.counts, counts, is_new);
}

/// What was inside each NVTX range, nested ones included; a name inside itself counts once.
void add_ranges(Row& row, pid_t pid, const WireFile::Counts& record, const GpuCounts& counts) {
  std::set<std::string> names;
  for (std::string_view rest = record.ranges; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\x1f'), rest.size());
    names.insert(std::string(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const std::string& name : names) {
    auto place = std::find_if(
        row.gpu.regions.begin(), row.gpu.regions.end(),
        [&](const GpuRegionCounts& region) { return region.pid == pid && region.name == name; });
    const bool is_new = place == row.gpu.regions.end();
    if (is_new) place = row.gpu.regions.insert(place, GpuRegionCounts{pid, name, 0, {}});
    place->launches += record.launches;
    add_counts(place->counts, counts, is_new);
  }
}

void add_file(const WireFile& file, Mode mode,
              std::map<std::tuple<std::string, std::string>, Row>& rows) {
  for (const WireFile::Context& context : file.contexts) {
    std::string metrics;
    for (const std::string& metric : context.metrics) metrics += metric + ' ';
    const auto [place, is_new] = rows.try_emplace({context.uuid, metrics});
    Row& row = place->second;
    if (is_new) {
      row.gpu.index = context.device;
      row.gpu.name = context.name;
      row.gpu.chip = context.chip;
      row.gpu.uuid = context.uuid;
      row.gpu.mode = to_string(mode);
      row.gpu.passes = context.passes;
      row.sets = collected_sets(context, mode);
      for (const MetricSet* set : row.sets) {
        row.gpu.sets.push_back(set->description);
        std::erase_if(row.gpu.sets.back().metrics, [&context](const std::string& metric) {
          return !has_metric(context, metric);
        });
      }
    }
    if (std::find(row.gpu.processes.begin(), row.gpu.processes.end(), file.pid) ==
        row.gpu.processes.end())
      row.gpu.processes.push_back(file.pid);
    std::uint64_t counted = 0;
    for (const WireFile::Counts& record : file.counts) {
      if (record.context != context.id) continue;
      const GpuCounts counts = counts_of_record(context, record, row.sets);
      add_counts(row.gpu.counts, counts, row.gpu.counted == 0 && counted == 0);
      counted += record.launches;
      if (mode != Mode::kProfile) continue;
      add_kernel(row, file, record, counts);
      add_ranges(row, file.pid, record, counts);
    }
    row.gpu.counted += counted;
    row.gpu.launches += std::max(context.launches, counted);
    row.gpu.dropped += context.dropped;
  }
}

std::string process_text(const WireFile& file) {
  return "process " + std::to_string(file.pid) +
         (file.executable.empty() ? "" : " (" + file.executable + ")");
}

void warn(const WireFile& file, State state, RunCounts& run) {
  std::map<std::string, std::size_t> told;
  for (const WireFile::Problem& problem : file.problems) ++told[describe(problem)];
  for (const auto& [text, times] : told)
    run.warnings.push_back(
        {"gpu_problem", process_text(file) + ": " + text +
                            (times > 1 ? " (" + std::to_string(times) + " times)" : "")});
  if (file.malformed > 0)
    run.warnings.push_back({"gpu_counts_damaged", process_text(file) + ": " +
                                                      std::to_string(file.malformed) +
                                                      " records are unreadable and were left out"});
  if (file.ended || state == State::kRunning) return;
  const bool any = !file.contexts.empty();
  if (any)
    run.warnings.push_back(
        {"gpu_not_flushed",
         process_text(file) +
             " ended without handing over its last counts (killed, _exit, or a GPU that did not "
             "come to an end within a second): what it launched since the last fetch is missing"});
}

/// What is missing of a GPU's launches, and how good the rest is.
Quality quality_of(const GpuDeviceCounts& gpu, bool all_flushed) {
  if (gpu.counted == 0) return Quality::kMissing;
  if (gpu.counted < gpu.launches || gpu.dropped > 0 || !all_flushed) return Quality::kPartial;
  Quality quality = Quality::kExact;
  for (const GpuMetricSet& set : gpu.sets) quality = poorer(quality, set.quality);
  return quality;
}

}  // namespace

RunCounts gpu_counts(const std::vector<WireFile>& files, Mode mode, State state) {
  RunCounts run;
  run.quality = Quality::kExact;
  std::map<std::tuple<std::string, std::string>, Row> rows;
  std::set<pid_t> unflushed;
  bool any_problem = false;
  for (const WireFile& file : files) {
    add_file(file, mode, rows);
    warn(file, state, run);
    const bool is_whole = state == State::kRunning || (file.ended && !file.cut_short);
    if (!is_whole || file.malformed > 0) unflushed.insert(file.pid);
    any_problem |= !file.problems.empty() && file.contexts.empty();
  }
  for (auto& [key, row] : rows) {
    GpuDeviceCounts& gpu = row.gpu;
    const bool all_flushed =
        std::none_of(gpu.processes.begin(), gpu.processes.end(),
                     [&unflushed](pid_t pid) { return unflushed.contains(pid); });
    gpu.quality = quality_of(gpu, all_flushed);
    if (gpu.dropped > 0)
      run.warnings.push_back({"gpu_launches_dropped",
                              std::to_string(gpu.dropped) + " kernels on " + gpu.uuid +
                                  " were dropped by CUPTI for want of room, and are not counted"});
    if (gpu.counted + gpu.dropped < gpu.launches)
      run.warnings.push_back(
          {"gpu_launches_not_counted", std::to_string(gpu.launches - gpu.counted - gpu.dropped) +
                                           " of " + std::to_string(gpu.launches) + " launches on " +
                                           gpu.uuid + " are not counted"});
    run.quality = poorer(run.quality, gpu.quality);
    run.gpus.push_back(std::move(gpu));
  }
  std::sort(run.gpus.begin(), run.gpus.end(),
            [](const GpuDeviceCounts& a, const GpuDeviceCounts& b) {
              return std::tie(a.index, a.uuid) < std::tie(b.index, b.uuid);
            });
  if (any_problem) run.quality = poorer(run.quality, Quality::kPartial);
  return run;
}

}  // namespace bops::cuda
