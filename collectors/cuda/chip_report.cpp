#include "collectors/cuda/chip_report.hpp"

#include <algorithm>

#include "collectors/cuda/metric_sets.hpp"

namespace bops::cuda {
namespace {

/// Chips that both the library and this build know.
std::string known_chips(const HostMetrics& host) {
  std::string text;
  for (const std::string& chip : host.chips())
    if (family_of(chip) != nullptr) text += (text.empty() ? "" : ", ") + chip;
  return text;
}

std::string sum_text(const std::vector<std::pair<std::string, std::int64_t>>& parts) {
  std::string text;
  for (const auto& [name, factor] : parts)
    text += (text.empty() ? "" : " + ") + (factor == 1 ? "" : std::to_string(factor) + " ") + name;
  return text;
}

}  // namespace

Result<GpuChipReport> chip_report(const HostMetrics& host, const std::string& chip) {
  const std::vector<std::string> chips = host.chips();
  const bool in_library = std::find(chips.begin(), chips.end(), chip) != chips.end();
  const ChipFamily* family = family_of(chip);
  if (!in_library || family == nullptr)
    return failure((in_library ? "bops has no metric sets for the chip " + chip
                               : "CUPTI " + std::to_string(host.version()) +
                                     " does not know the chip " + chip),
                   "choose one of: " + known_chips(host));
  GpuChipReport report;
  report.chip = chip;
  report.family = family->title;
  report.compute_capabilities = family->compute_capabilities;
  const auto meter = sets_of(*family, Mode::kMeter);
  const auto profile = sets_of(*family, Mode::kProfile);
  for (const MetricSet& set : family->sets) {
    const auto passes = host.passes(chip, set.description.metrics);
    if (!passes) return tl::unexpected(passes.error());
    GpuChipSet row{set.description, std::find(meter.begin(), meter.end(), &set) != meter.end(),
                   std::find(profile.begin(), profile.end(), &set) != profile.end()};
    row.set.passes = *passes;
    report.sets.push_back(std::move(row));
  }
  for (const auto& [sets, passes] :
       {std::pair{&meter, &report.meter_passes}, std::pair{&profile, &report.profile_passes}}) {
    const auto together = host.passes(chip, metric_names(*sets));
    if (!together) return tl::unexpected(together.error());
    *passes = *together;
  }
  for (const auto& [name, parts] : nvprof_names()) report.nvprof.emplace(name, sum_text(parts));
  return report;
}

}  // namespace bops::cuda
