// What CUPTI's host library knows of a chip: which metrics it has, and how many passes they take.
// Needs neither a GPU nor a driver.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/error.hpp"

namespace bops::cuda {

class HostMetrics {
 public:
  /// False where CMake found no CUPTI: nothing of GPUs is in this build then.
  [[nodiscard]] static bool in_this_build();
  /// Fails where this build or this machine has no CUPTI.
  [[nodiscard]] static Result<HostMetrics> open();
  HostMetrics(HostMetrics&&) noexcept;
  HostMetrics& operator=(HostMetrics&&) noexcept;
  ~HostMetrics();

  /// CUPTI's version, as cuptiGetVersion() has it: 130001.
  [[nodiscard]] std::uint32_t version() const;
  /// Every chip that the library has heard of, in its order.
  [[nodiscard]] std::vector<std::string> chips() const;
  /// How often a kernel has to run until all of these metrics of a chip are collected. Fails for a
  /// chip that the library does not know, and names the metrics that the chip lacks.
  [[nodiscard]] Result<std::uint64_t> passes(const std::string& chip,
                                             std::span<const std::string> metrics) const;

 private:
  struct Api;
  explicit HostMetrics(std::unique_ptr<Api> api);
  std::unique_ptr<Api> api_;
};

}  // namespace bops::cuda
