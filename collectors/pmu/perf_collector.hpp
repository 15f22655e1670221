// Hardware counters through perf_event_open(2) alone.
#pragma once

#include <memory>

#include "model/collector.hpp"

namespace bops::pmu {

[[nodiscard]] std::unique_ptr<Collector> make_perf_collector();

}  // namespace bops::pmu
