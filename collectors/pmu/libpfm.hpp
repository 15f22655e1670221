// What the installed libpfm4 knows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bops::pmu {

/// Whether it has a table of that name, whichever CPU this is; never of the empty name.
[[nodiscard]] bool libpfm_has_pmu(const std::string& pmu);

struct Encoding {
  std::uint32_t type = 0;
  std::uint64_t config = 0;
};

/// perf_event_attr's type and configuration of an event of a PMU, "skl" and
/// "BR_INST_RETIRED:ALL_BRANCHES", counted in user mode. Nothing where it cannot be encoded:
/// libpfm4 encodes for CPUs that are present, for others only if LIBPFM_ENCODE_INACTIVE is in the
/// environment when it is first asked for anything.
[[nodiscard]] std::optional<Encoding> libpfm_encoding(const std::string& pmu,
                                                      const std::string& event);

}  // namespace bops::pmu
