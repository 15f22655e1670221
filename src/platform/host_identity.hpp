// Which machine and which CPU this is.
#pragma once

#include <cstdint>

#include "model/run_record.hpp"

namespace bops {

/// Family, model and stepping as the vendors print them ("display" values).
struct CpuSignature {
  std::uint32_t family = 0;
  std::uint32_t model = 0;
  std::uint32_t stepping = 0;
  friend bool operator==(const CpuSignature&, const CpuSignature&) = default;
};

/// Decodes EAX of CPUID leaf 1: the extended family counts only for base family 15, the extended
/// model only for base families 6 and 15. Source: Intel SDM volume 2A, CPUID, "Version Information
/// Returned by CPUID in EAX"; AMD (CPUID Specification, 25481) has the same rule for family 15, and
/// no processor of base family 6 with an extended model.
[[nodiscard]] CpuSignature decode_cpu_signature(std::uint32_t leaf1_eax);

/// uname(2) and CPUID of the CPU that the calling thread runs on.
[[nodiscard]] HostIdentity read_host_identity();

}  // namespace bops
