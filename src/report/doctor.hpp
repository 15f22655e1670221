// What `bops doctor` says about this machine: each collector, can it run, why not, what to do.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "model/collector.hpp"
#include "model/run_record.hpp"

namespace bops {

struct DoctorEntry {
  CollectorInfo info;
  Probe probe;
  bool chosen_by_auto = false;  ///< what --collector auto takes here
  std::vector<Limit> limits{};
};

struct DoctorReport {
  HostIdentity host;
  std::string tool_version;
  std::vector<DoctorEntry> collectors;  ///< in the order in which auto prefers them
};

/// A line per collector, and what to do below those that cannot run or only within limits.
[[nodiscard]] std::string render_doctor_text(const DoctorReport& report, bool colour);

/// Schema bops.doctor.v1.
[[nodiscard]] nlohmann::ordered_json to_json(const DoctorReport& report);

/// The JSON indented, in pure ASCII, ending in a newline.
[[nodiscard]] std::string render_doctor_json(const DoctorReport& report);

}  // namespace bops
