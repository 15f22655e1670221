#include "cli/usage/emission_options.hpp"

#include <charconv>

#include "cli/durations.hpp"

namespace bops {
namespace {

Result<std::pair<std::string, std::uint64_t>> work_of(const std::string& text) {
  const auto equals = text.find('=');
  std::uint64_t amount = 0;
  if (equals != std::string::npos && equals > 0 && equals + 1 < text.size()) {
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + equals + 1, end, amount);
    if (error == std::errc{} && rest == end && amount <= kMaxQuantity)
      return std::pair{meter_of_work(text.substr(0, equals)), amount};
  }
  return failure("--work " + text + " is not UNIT=NUMBER", "write --work tokens=128, for instance");
}

}  // namespace

void add_emission_options(CLI::App& command, EmissionOptions& options) {
  const char* group = "Usage records";
  command
      .add_option(
          "--usage", options.usage,
          "Write usage records to a file, a directory (a file of its own for each run), or a "
          "ledger (FILE.db, postgresql://...), while the target runs")
      ->group(group);
  command.add_option("--tenant", options.tenant, "Whose usage it is, as you declare it")
      ->group(group);
  command
      .add_option("--work", options.work,
                  "UNIT=NUMBER: work that the run does, e.g. tokens=128 (repeatable)")
      ->allow_extra_args(false)
      ->group(group);
  command
      .add_option("--work-from", options.work_from,
                  "Read tokens and requests served from this Prometheus endpoint of the target")
      ->group(group);
  command
      .add_option("--checkpoints", options.checkpoints,
                  "Keep the signed checkpoints in this directory as well (repeatable)")
      ->allow_extra_args(false)
      ->group(group);
  command
      .add_option(
          "--key", options.key,
          "Sign with this key of bops usage keygen; without it with your own, which is made "
          "if there is none")
      ->group(group);
  command
      .add_option("--usage-interval", options.interval,
                  "Longest interval of a record, up to an hour; 60s without it")
      ->group(group);
  command
      .add_flag("--tenants-by-region", options.by_region,
                "The target names its tenants (regions tenant=NAME): all else is shared")
      ->group(group);
}

Result<std::unique_ptr<UsageMeter>> open_usage_meter(
    const EmissionOptions& options, const std::map<std::string, std::string>& labels, bool strict,
    DecodedEstimator estimate) {
  if (!options.wanted()) {
    for (const auto& [name, is_there] : {std::pair{"--tenant", !options.tenant.empty()},
                                         std::pair{"--work", !options.work.empty()},
                                         std::pair{"--work-from", !options.work_from.empty()},
                                         std::pair{"--checkpoints", !options.checkpoints.empty()},
                                         std::pair{"--key", !options.key.empty()},
                                         std::pair{"--usage-interval", !options.interval.empty()},
                                         std::pair{"--tenants-by-region", options.by_region}})
      if (is_there)
        return failure(std::string(name) + " means nothing without --usage",
                       "say where usage records go: --usage FILE");
    return nullptr;
  }
  UsageOptions usage;
  usage.target = options.usage;
  usage.tenant = options.tenant;
  usage.labels = labels;
  usage.work_from = options.work_from;
  usage.second_places = options.checkpoints;
  usage.key_file = options.key;
  usage.by_region = options.by_region;
  usage.strict = strict;
  usage.estimate = std::move(estimate);
  for (const std::string& text : options.work) {
    auto work = work_of(text);
    if (!work) return tl::unexpected(work.error());
    if (!usage.work.insert(*std::move(work)).second)
      return failure("--work names " + text.substr(0, text.find('=')) + " twice", "name it once");
  }
  if (!options.interval.empty()) {
    const auto interval = parse_duration(options.interval);
    if (!interval || *interval > std::chrono::hours(1))
      return failure("--usage-interval " + options.interval + " is not a duration up to an hour",
                     "write 10s, for instance");
    usage.interval = *interval;
  }
  return UsageMeter::open(std::move(usage));
}

}  // namespace bops
