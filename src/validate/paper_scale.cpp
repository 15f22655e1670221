#include "validate/paper_scale.hpp"

#include <cmath>
#include <optional>

namespace bops::validate {
namespace {

struct Known {
  double size = 0;
  double operations = 0;  ///< of one execution
  double instructions_per_operation = 0;
  double ns_per_instruction = 0;
};

/// The points of that kernel and build with plain inputs, by size: the smallest and the largest.
Result<std::vector<Known>> known_points(const PaperRow& row, const Weighting& weighting,
                                        const std::vector<Point>& points,
                                        const Measurements& measurements) {
  std::vector<Known> known;
  for (const Point& point : points) {
    if (point.kernel != row.kernel || point.build != row.build || point.threads != 1 ||
        point.distribution != "uniform")
      continue;
    const Measurement& measured = measurements.at(point);
    if (!measured.missing.empty() || measured.run_instructions == 0) continue;
    const auto operations = weigh(measured.tallies, weighting);
    if (!operations) return tl::unexpected(operations.error());
    const auto all = static_cast<double>(*operations);
    known.push_back({static_cast<double>(point.size), all / static_cast<double>(point.rounds),
                     static_cast<double>(measured.counted.instructions.total) / all,
                     static_cast<double>(measured.run_wall_ns) /
                         static_cast<double>(measured.run_instructions)});
  }
  return known;  // points are sorted by size
}

std::optional<double> extrapolated(const PaperRow& row, const std::vector<Known>& known) {
  const auto size = static_cast<double>(row.size);
  const Known& largest = known.back();
  if (row.growth == "linear") return largest.operations * (size / largest.size);
  if (row.growth == "cubic") return largest.operations * std::pow(size / largest.size, 3);
  // operations / n = a ln n + b
  const Known& smallest = known.front();
  if (smallest.size == largest.size) return std::nullopt;
  const double high = largest.operations / largest.size;
  const double slope = (high - smallest.operations / smallest.size) /
                       (std::log(largest.size) - std::log(smallest.size));
  return size * (high + slope * (std::log(size) - std::log(largest.size)));
}

}  // namespace

Result<std::vector<PaperEstimate>> estimate_paper_scale(const Rules& rules, const Plan& plan,
                                                        const Measurements& measurements) {
  std::vector<PaperEstimate> estimates;
  const std::vector<Point> points = plan.points();
  for (const PaperRow& row : rules.paper) {
    const Weighting* weighting = find_weighting(rules, row.rules);
    if (weighting == nullptr)
      return failure("paper_scale names the rules " + row.rules + ", which are not there",
                     "mend the file of rules");
    const auto known = known_points(row, *weighting, points, measurements);
    if (!known) return tl::unexpected(known.error());
    if (known->empty()) continue;
    const auto once = extrapolated(row, *known);
    if (!once) continue;
    const double operations = *once * static_cast<double>(row.repeats);
    const Known& largest = known->back();
    estimates.push_back(
        {row, static_cast<std::uint64_t>(std::llround(operations)),
         operations * largest.instructions_per_operation * largest.ns_per_instruction});
  }
  return estimates;
}

}  // namespace bops::validate
