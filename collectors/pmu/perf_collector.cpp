#include "collectors/pmu/perf_collector.hpp"

#include "collectors/pmu/hardware_collector.hpp"

namespace bops::pmu {

std::unique_ptr<Collector> make_perf_collector() {
  return std::make_unique<HardwareCollector>("perf", Division::kPerf);
}

}  // namespace bops::pmu
