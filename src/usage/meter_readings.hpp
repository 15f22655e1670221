// What the meters of a run read at one moment, by tenant.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "model/run_counts.hpp"

namespace bops {

/// A region of this name belongs to a tenant: "tenant=NAME". Inside it no region of another tenant
/// may be begun: what is nested counts for both.
inline const std::string kTenantRegion = "tenant=";

/// The subject of what no tenant's region claims.
inline const std::string kSharedSubject = "shared";

struct MeterKey {
  std::string subject;  ///< empty: the tenant of the run, or kSharedSubject if regions have tenants
  std::string meter;    ///< "bops_formula", ...
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
};

/// The meter of a unit of work: its name where that is a known meter, else "work_" and the name in
/// lower case with underscores.
[[nodiscard]] std::string meter_of_work(const std::string& unit);

/// bops_formula, instructions, bops_decoded where all was decoded, and the units of work.
[[nodiscard]] RunReadings readings_of(const RunCounts& counts);

}  // namespace bops
