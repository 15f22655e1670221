// Which collector measures a run, and why not the others.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/collector.hpp"
#include "session/run_request.hpp"

namespace bops {

using Collectors = std::span<const std::unique_ptr<Collector>>;

struct CollectorChoice {
  Collector* collector = nullptr;
  /// A sentence for the user when `auto` had to fall back; empty otherwise.
  std::string notice;
};

/// The collector named `name`, or for "auto" the first in the order pmu, native, qemu that can run
/// here. A collector named explicitly that cannot run is an error, with the reason and the remedy.
/// `require_pmu` makes anything but hardware counters an error.
[[nodiscard]] Result<CollectorChoice> choose_collector(Collectors collectors,
                                                       const std::string& name, bool require_pmu);

/// The collector that counts GPUs beside `beside`, or null where there is nothing to count or
/// `auto` leaves it out; `notice` then says why, if there is a GPU whose work is not counted. An
/// explicit choice that cannot be met is an error.
struct GpuCollectorChoice {
  Collector* collector = nullptr;
  std::string notice;
};
[[nodiscard]] Result<GpuCollectorChoice> choose_gpu_collector(Collectors collectors,
                                                              GpuChoice choice,
                                                              const Collector& beside);

/// The collectors in the order in which `auto` prefers them; those it never takes come last.
[[nodiscard]] std::vector<Collector*> in_order_of_preference(Collectors collectors);

}  // namespace bops
