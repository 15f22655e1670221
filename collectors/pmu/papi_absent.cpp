#include "collectors/pmu/papi_counters.hpp"

namespace bops::pmu {
namespace {

tl::unexpected<Error> absent() {
  return failure("this build has no PAPI",
                 "install PAPI's development files (apt-get install libpapi-dev) and build again");
}

}  // namespace

Result<std::string> papi_version() {
  return absent();
}

Result<std::unique_ptr<ThreadCounters>> make_papi_counters(const std::vector<EventSet>& /*sets*/,
                                                           bool /*with_kernel*/) {
  return absent();
}

bool papi_reads_running_threads() {
  return false;
}

}  // namespace bops::pmu
