// What the meters of a run read at one moment, by tenant.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "model/run_counts.hpp"

namespace bops {

/// A region of this name belongs to a tenant: "tenant=NAME". Inside it no region of another tenant
/// may be begun: what is nested counts for both.
inline constexpr std::string_view kTenantRegion = "tenant=";

/// The subject of what no tenant's region claims.
inline constexpr std::string_view kSharedSubject = "shared";

struct MeterKey {
  std::string subject;  ///< empty: the tenant of the run, or kSharedSubject if regions have tenants
  std::string meter;    ///< "bops_formula", ...
  std::string gpu{};    ///< uuid of the GPU that it is of; empty: none
  // clang-tidy 14 takes the comparison with 0 in a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const MeterKey&, const MeterKey&) = default;
};

/// Cumulative, since the start of the run. The formula may be negative, and may go down.
using MeterReadings = std::map<MeterKey, std::int64_t>;

struct RunReadings {
  MeterReadings meters;
  bool by_tenant = false;  ///< some region has a tenant
  /// Regions of tenants in a thread have more than the thread: they are nested, and what they
  /// claim is left to the shared subject.
  bool tenants_overlap = false;
  /// Tenants some of whose regions have no counts, or overlap: what ran there is in the shared
  /// subject's readings, and theirs are too low.
  std::set<std::string> not_counted;
  /// Regions were lost, nobody knows whose: what is shared may be some tenant's.
  bool regions_lost = false;
};

/// The meter of a unit of work: its name where that is a known meter, else "work_" and the name in
/// lower case with underscores.
[[nodiscard]] std::string meter_of_work(const std::string& unit);

/// bops_formula, instructions, bops_decoded where all was decoded, and the units of work.
[[nodiscard]] RunReadings readings_of(const RunCounts& counts);

/// Of each GPU what was measured: gpu_time (of kernels, one after the other), and by level, warp or
/// thread, gpu_warp_instructions, gpu_warp_bops_formula, ... Beside readings_of(), in no sum of
/// its.
[[nodiscard]] MeterReadings gpu_readings_of(const RunCounts& counts);

}  // namespace bops
