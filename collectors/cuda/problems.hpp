// What a failure inside the target means for the user.
#pragma once

#include <string>

#include "collectors/cuda/wire_reader.hpp"

namespace bops::cuda {

/// One sentence with the code and its plain reason, and the remedy where there is one: "GPU
/// counters are restricted to administrators (CUPTI error 35, CUPTI_ERROR_INSUFFICIENT_PRIVILEGES,
/// ...)".
[[nodiscard]] std::string describe(const WireFile::Problem& problem);

/// The remedy for restricted counters, wherever it is noticed.
inline constexpr const char* kRestrictedRemedy =
    "run bops as root, with CAP_SYS_ADMIN (docker: --cap-add SYS_ADMIN), or load the driver with "
    "NVreg_RestrictProfilingToAdminUsers=0 (\"options nvidia "
    "NVreg_RestrictProfilingToAdminUsers=0\" "
    "in /etc/modprobe.d, then reboot)";

}  // namespace bops::cuda
