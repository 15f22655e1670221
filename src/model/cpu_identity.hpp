// Which CPU this is, as CPUID tells it, or MIDR_EL1 on Arm.
#pragma once

#include <cstdint>
#include <string>

namespace bops {

struct CpuIdentity {
  std::string vendor;        ///< "GenuineIntel", "AuthenticAMD"
  std::uint32_t family = 0;  ///< display family: base plus extended (Intel SDM, CPUID leaf 1)
  std::uint32_t model = 0;   ///< display model
  std::uint32_t stepping = 0;
  std::string name;               ///< brand string, trimmed
  std::uint32_t implementer = 0;  ///< MIDR_EL1 bits 31:24, 0x41 is Arm; 0 on x86
  std::uint32_t part = 0;         ///< MIDR_EL1 bits 15:4; 0 on x86
};

}  // namespace bops
