#include "collectors/pmu/pmu_collector.hpp"

#include "collectors/pmu/hardware_collector.hpp"

namespace bops::pmu {

std::unique_ptr<Collector> make_pmu_collector() {
  return std::make_unique<HardwareCollector>("pmu", Division::kDivided);
}

}  // namespace bops::pmu
