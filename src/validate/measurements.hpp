// The numbers behind the claims: each point counted in the source and while it ran.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "validate/arithmetic.hpp"
#include "validate/plan.hpp"

namespace bops::validate {

/// One point. Counts are of the kernel alone, all its rounds.
struct Measurement {
  std::string missing;             ///< why it was not measured; empty if it was
  std::vector<std::string> wrong;  ///< expectations that it does not meet
  Tallies tallies;
  KernelCounts counted;
  std::optional<KernelCounts> exact;   ///< `counted` itself where the collector is an exact engine
  std::uint64_t run_instructions = 0;  ///< of the whole run with the kernel
  std::uint64_t run_wall_ns = 0;
};

using Measurements = std::map<Point, Measurement>;

/// Fails where bops-workload refuses a problem, or the weighting `source` of the rules is not the
/// one that it prints: a program that ends wrongly is in its measurement instead.
[[nodiscard]] Result<Measurements> measure(const std::vector<Point>& points, const Rules& rules,
                                           const Bench& bench);

}  // namespace bops::validate
