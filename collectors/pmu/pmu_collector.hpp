// Hardware counters, through what suits each thread: what `auto` prefers.
#pragma once

#include <memory>

#include "model/collector.hpp"

namespace bops::pmu {

[[nodiscard]] std::unique_ptr<Collector> make_pmu_collector();

}  // namespace bops::pmu
