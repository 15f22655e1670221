#include "report/repeat.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "model/bops.hpp"

namespace bops {
namespace {

// Holds every uint64_t and every int64_t, and their differences. (__extension__: not in ISO C++.)
__extension__ using WideInteger = __int128;

RepeatStatistic statistic_of(std::string_view name, std::span<const WideInteger> values) {
  // Deviations from the first value are exact integers, so that counts of 1e18 that differ in the
  // last digits lose nothing; Welford's recurrence then works on those small numbers.
  const WideInteger first = values.front();
  long double mean = 0;
  long double squares = 0;
  long double seen = 0;
  for (const WideInteger value : values) {
    const auto deviation = static_cast<long double>(value - first);
    const long double delta = deviation - mean;
    seen += 1;
    mean += delta / seen;
    squares += delta * (deviation - mean);
  }
  const auto [minimum, maximum] = std::minmax_element(values.begin(), values.end());
  RepeatStatistic statistic;
  statistic.name = name;
  statistic.mean = static_cast<double>(static_cast<long double>(first) + mean);
  statistic.standard_deviation =
      values.size() < 2 ? 0 : static_cast<double>(std::sqrt(squares / (seen - 1)));
  statistic.minimum = static_cast<double>(*minimum);
  statistic.maximum = static_cast<double>(*maximum);
  return statistic;
}

}  // namespace

RepeatSummary summarise(std::span<const RunRecord> runs) {
  std::vector<std::pair<std::string_view, std::vector<WideInteger>>> columns{
      {"instructions", {}}, {"loads", {}},        {"stores", {}},
      {"branches", {}},     {"bops_formula", {}}, {"operations.total", {}},
      {"wall_ns", {}}};
  const auto note = [&columns](std::string_view name, WideInteger value) {
    for (auto& [column, values] : columns)
      if (column == name) values.push_back(value);
  };
  for (const RunRecord& run : runs) {
    note("wall_ns", run.wall_ns);
    if (run.counts.quality == Quality::kMissing) continue;
    const Counts totals = run.counts.totals();
    note("instructions", totals.instructions.total);
    note("loads", totals.instructions.loads);
    note("stores", totals.instructions.stores);
    note("branches", totals.instructions.branches);
    note("bops_formula", bops_formula(totals.instructions));
    if (totals.operations) note("operations.total", totals.operations->total());
  }
  RepeatSummary summary;
  summary.runs = static_cast<std::uint32_t>(runs.size());
  for (const auto& [name, values] : columns)
    if (!values.empty() && values.size() == runs.size())
      summary.statistics.push_back(statistic_of(name, values));
  return summary;
}

}  // namespace bops
