#include "collectors/pmu/papi_collector.hpp"

#include "collectors/pmu/hardware_collector.hpp"

namespace bops::pmu {

std::unique_ptr<Collector> make_papi_collector() {
  return std::make_unique<HardwareCollector>("papi", Division::kPapi);
}

}  // namespace bops::pmu
