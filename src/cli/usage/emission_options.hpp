// The options of bops run and bops attach that are about usage records.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "usage/usage_meter.hpp"

namespace bops {

struct EmissionOptions {
  std::string usage;
  std::string tenant;
  std::string interval;
  std::string key;
  std::string work_from;
  std::vector<std::string> work;
  std::vector<std::string> checkpoints;
  bool by_region = false;

  [[nodiscard]] bool wanted() const { return !usage.empty(); }
};

void add_emission_options(CLI::App& command, EmissionOptions& options);

/// Opens what the records go to. Null if there is no --usage. Fails if an option makes no sense, or
/// is there without --usage.
[[nodiscard]] Result<std::unique_ptr<UsageMeter>> open_usage_meter(
    const EmissionOptions& options, const std::map<std::string, std::string>& labels, bool strict,
    DecodedEstimator estimate = {});

}  // namespace bops
