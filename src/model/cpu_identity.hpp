// Which CPU this is, as CPUID tells it.
#pragma once

#include <cstdint>
#include <string>

namespace bops {

struct CpuIdentity {
  std::string vendor;        ///< "GenuineIntel", "AuthenticAMD"
  std::uint32_t family = 0;  ///< display family: base plus extended (Intel SDM, CPUID leaf 1)
  std::uint32_t model = 0;   ///< display model
  std::uint32_t stepping = 0;
  std::string name;  ///< brand string, trimmed
};

}  // namespace bops
