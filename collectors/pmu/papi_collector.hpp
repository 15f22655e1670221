// Hardware counters through PAPI alone.
#pragma once

#include <memory>

#include "model/collector.hpp"

namespace bops::pmu {

[[nodiscard]] std::unique_ptr<Collector> make_papi_collector();

}  // namespace bops::pmu
