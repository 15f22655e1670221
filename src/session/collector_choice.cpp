#include "session/collector_choice.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace bops {
namespace {

constexpr std::array<std::string_view, 3> kPreference = {"pmu", "native", "qemu"};
constexpr std::string_view kHardware = "pmu";

bool counts_in_hardware(const std::string& name) {
  return name == kHardware || name == "papi" || name == "perf";
}

std::size_t rank(const Collector& collector) {
  const auto* const place =
      std::find(kPreference.begin(), kPreference.end(), collector.info().name);
  return static_cast<std::size_t>(place - kPreference.begin());
}

std::string names(Collectors collectors) {
  std::string list = "auto";
  for (const auto& collector : collectors)
    if (!collector->counts_gpus()) list += ", " + collector->info().name;
  return list;
}

Result<CollectorChoice> choose_named(Collectors collectors, const std::string& name) {
  for (const auto& collector : collectors) {
    if (collector->info().name != name) continue;
    if (collector->counts_gpus())
      return failure("the collector " + name + " counts GPUs, beside one that counts the CPUs",
                     "write --gpu meter or --gpu profile instead");
    const Probe probe = collector->quick_probe();
    if (!probe.usable)
      return failure("the collector " + name + " cannot run here: " + probe.reason, probe.remedy);
    return CollectorChoice{collector.get(), ""};
  }
  return failure("there is no collector named " + name, "choose one of: " + names(collectors));
}

/// Why hardware counters do not serve, for the notice and for --require-pmu.
std::string why_no_hardware(Collectors collectors) {
  for (const auto& collector : collectors)
    if (collector->info().name == kHardware) return collector->quick_probe().reason;
  return "this build has no collector for them";
}

}  // namespace

Result<GpuCollectorChoice> choose_gpu_collector(Collectors collectors, GpuChoice choice,
                                                const Collector& beside) {
  if (choice == GpuChoice::kOff) return GpuCollectorChoice{};
  const bool is_auto = choice == GpuChoice::kAuto;
  const auto without = [is_auto](const std::string& reason,
                                 const std::string& remedy) -> Result<GpuCollectorChoice> {
    if (!is_auto) return failure("GPUs cannot be counted here: " + reason, remedy);
    return GpuCollectorChoice{
        nullptr, "GPUs are not counted: " + reason + (remedy.empty() ? "" : "; " + remedy)};
  };
  for (const auto& collector : collectors) {
    if (!collector->counts_gpus()) continue;
    const Probe probe = collector->quick_probe();
    if (probe.nothing_to_count && is_auto) return GpuCollectorChoice{};
    if (!probe.usable) return without(probe.reason, probe.remedy);
    if (beside.info().name == "qemu")
      return without("a program that qemu emulates cannot drive a GPU",
                     "count with --collector native or pmu");
    return GpuCollectorChoice{collector.get(), ""};
  }
  if (is_auto) return GpuCollectorChoice{};
  return without("this build has no collector for them", "");
}

std::vector<Collector*> in_order_of_preference(Collectors collectors) {
  std::vector<Collector*> ordered;
  for (const auto& collector : collectors) ordered.push_back(collector.get());
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Collector* a, const Collector* b) { return rank(*a) < rank(*b); });
  return ordered;
}

Result<CollectorChoice> choose_collector(Collectors collectors, const std::string& name,
                                         bool require_pmu) {
  if (require_pmu && name != "auto" && !counts_in_hardware(name))
    return failure("--require-pmu and --collector " + name + " contradict each other",
                   "leave one of them out");
  if (name != "auto") return choose_named(collectors, name);
  std::string reasons;
  for (Collector* collector : in_order_of_preference(collectors)) {
    if (collector->counts_gpus()) continue;
    const CollectorInfo info = collector->info();
    if (rank(*collector) == kPreference.size()) break;
    const Probe probe = collector->quick_probe();
    if (probe.usable && info.name == kHardware) return CollectorChoice{collector, ""};
    if (require_pmu) break;
    if (probe.usable)
      return CollectorChoice{
          collector, "no hardware counters (" + why_no_hardware(collectors) + "); counting with " +
                         info.name +
                         (info.slowdown_class == "emulated"
                              ? ", which emulates: the counts are exact, the time is not the "
                                "program's own"
                              : "")};
    reasons += (reasons.empty() ? "" : "; ") + info.name + ": " + probe.reason;
  }
  if (require_pmu)
    return failure("no usable hardware counters: " + why_no_hardware(collectors),
                   "leave out --require-pmu to count exactly in software; bops doctor tells more");
  return failure("no collector can run here" + (reasons.empty() ? "" : ": " + reasons),
                 "bops doctor tells what each of them needs");
}

}  // namespace bops
