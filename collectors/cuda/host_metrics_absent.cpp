// The build without a CUDA toolkit.
#include "collectors/cuda/host_metrics.hpp"

namespace bops::cuda {

struct HostMetrics::Api {};

HostMetrics::HostMetrics(std::unique_ptr<Api> api) : api_(std::move(api)) {}
HostMetrics::HostMetrics(HostMetrics&&) noexcept = default;
HostMetrics& HostMetrics::operator=(HostMetrics&&) noexcept = default;
HostMetrics::~HostMetrics() = default;

bool HostMetrics::in_this_build() {
  return false;
}
Result<HostMetrics> HostMetrics::open() {
  return failure("this build of bops has no GPU parts: CMake found no CUDA toolkit with CUPTI",
                 "install the CUDA toolkit (13 or later) and build bops again");
}
std::uint32_t HostMetrics::version() const {
  return 0;
}
std::vector<std::string> HostMetrics::chips() const {
  return {};
}
Result<std::uint64_t> HostMetrics::passes(const std::string& /*chip*/,
                                          std::span<const std::string> /*metrics*/) const {
  return failure("this build of bops has no GPU parts");
}

}  // namespace bops::cuda
