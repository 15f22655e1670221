#include "report/missing.hpp"

#include <algorithm>
#include <limits>

#include "model/bops.hpp"

namespace bops {
namespace {

// A formula count times 1e9 needs more than 64 bits. (__extension__: not in ISO C++.)
__extension__ using WideInteger = __int128;

constexpr std::string_view kNothingCounted = "nothing was counted in this run";

const Warning* find_code(const std::vector<Warning>& warnings, std::string_view code) {
  const auto found = std::find_if(warnings.begin(), warnings.end(),
                                  [code](const Warning& warning) { return warning.code == code; });
  return found == warnings.end() ? nullptr : &*found;
}

std::string rate_reason(const RunRecord& record) {
  if (record.counts.quality == Quality::kMissing) return std::string(kNothingCounted);
  if (!record.time_is_the_targets)
    return "the collector slows the program down, so that its time is not the program's own";
  if (record.wall_ns == 0) return "the run took no measurable time";
  return "the rate does not fit into 64 bits";
}

std::string decoded_reason(const RunRecord& record) {
  if (record.counts.quality == Quality::kMissing) return std::string(kNothingCounted);
  return "the collector counts instructions without decoding them";
}

}  // namespace

std::optional<std::int64_t> bops_per_second(const RunRecord& record) {
  const bool measured = record.counts.quality != Quality::kMissing;
  if (!measured || !record.time_is_the_targets || record.wall_ns == 0) return std::nullopt;
  const WideInteger bops = bops_formula(record.counts.totals().instructions);
  const WideInteger rate = bops * 1'000'000'000 / record.wall_ns;
  if (rate > std::numeric_limits<std::int64_t>::max() ||
      rate < std::numeric_limits<std::int64_t>::min())
    return std::nullopt;
  return static_cast<std::int64_t>(rate);
}

std::vector<Warning> missing_numbers(const RunRecord& record) {
  std::vector<Warning> reasons;
  const auto add = [&reasons](std::string_view code, std::string message) {
    reasons.push_back({std::string(code), std::move(message)});
  };
  const Counts totals = record.counts.totals();
  const bool nothing = record.counts.quality == Quality::kMissing;
  if (nothing) add(kCountsNotMeasured, std::string(kNothingCounted));
  if (nothing || !totals.operations) add(kOperationsNotMeasured, decoded_reason(record));
  if (nothing || !totals.classes) add(kClassesNotMeasured, decoded_reason(record));
  if (!record.cycles) add(kCyclesNotMeasured, "the collector does not count cycles");
  if (!bops_per_second(record)) add(kRatesNotMeasured, rate_reason(record));
  if (!record.resource_usage)
    add(kResourcesNotMeasured, "the system did not tell what the target used");
  return reasons;
}

void explain_missing_numbers(RunRecord& record) {
  for (Warning& reason : missing_numbers(record)) {
    if (find_code(record.warnings, reason.code) != nullptr) continue;
    if (find_code(record.counts.warnings, reason.code) != nullptr) continue;
    record.warnings.push_back(std::move(reason));
  }
}

std::string missing_reason(const RunRecord& record, std::string_view code) {
  const std::vector<Warning> missing = missing_numbers(record);
  const Warning* usual = find_code(missing, code);
  if (usual == nullptr) return {};
  const std::vector<Warning> known = all_warnings(record);
  const Warning* warning = find_code(known, code);
  return warning != nullptr ? warning->message : usual->message;
}

std::vector<Warning> all_warnings(const RunRecord& record) {
  std::vector<Warning> warnings = record.warnings;
  for (const Warning& warning : record.counts.warnings)
    if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end())
      warnings.push_back(warning);
  return warnings;
}

}  // namespace bops
