// bops usage indicators: what was used, as its user would say it.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/cli.hpp"
#include "cli/usage/indicator_formats.hpp"
#include "cli/usage/rating_files.hpp"
#include "cli/usage/usage_verbs.hpp"
#include "model/bops.hpp"
#include "platform/files.hpp"
#include "report/json.hpp"

namespace bops {
namespace {

constexpr const char* kDescription =
    "Model type, amount of work, target accuracy, processing rate and BOPS of a run or a period.";
constexpr const char* kFooter = R"(
A run is a bops.run.v1 file: its work is that of its regions and --work, its model type and target
accuracy are its labels model_type (or model) and target_accuracy. Of usage records there is a row
for each tenant and model. With prices, what it costs to pay as you go.

Examples:
  bops usage indicators --run run.json --work tokens=4096
  bops usage indicators --records use.jsonl --from 2026-11-01T00:00:00Z --prices prices.json)";

struct Options {
  std::string run;
  std::string records;
  std::string from;
  std::string until;
  std::string prices;
  std::string tenant;
  std::string model_type;
  std::string target_accuracy;
  std::vector<std::string> work;
  std::string format = "text";
  std::string output = "-";
};

/// UNIT=N
Result<std::pair<std::string, BigInteger>> work_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  const auto amount = parse_count(equals == std::string::npos ? "" : text.substr(equals + 1));
  if (equals == 0 || !amount)
    return failure("--work " + text + " is not UNIT=N", "write tokens=4096, for instance");
  return std::pair(text.substr(0, equals), *amount);
}

/// The meter that a unit of work is priced as.
std::string meter_of(const std::string& unit) {
  const bool own = work_unit_of(unit).empty();
  return own ? "work_" + unit : unit;
}

/// What a run cost, as if it had been metered and were charged now.
Result<void> add_cost(UsageIndicators& row, const Terms& terms) {
  SelectedUse use;
  const auto used = [&](const std::string& meter, const BigInteger& quantity) -> Result<void> {
    const auto exact = quantity_of(quantity);
    if (!exact) return tl::unexpected(exact.error());
    use.records.push_back({static_cast<std::uint32_t>(use.accounts.size()), 0, 1, *exact});
    use.accounts.push_back({.tenant = row.tenant, .meter = meter, .model = row.model_type});
    return {};
  };
  if (row.bops_formula && *row.bops_formula > 0)
    if (auto added = used("bops_formula", *row.bops_formula); !added) return added;
  if (row.bops_decoded)
    if (auto added = used("bops_decoded", *row.bops_decoded); !added) return added;
  for (const auto& [unit, amount] : row.work)
    if (auto added = used(meter_of(unit), amount); !added) return added;
  const auto costs = indicators(use, terms, std::nullopt, std::nullopt);
  if (!costs) return tl::unexpected(costs.error());
  for (const UsageIndicators& each : *costs) {
    row.cost = each.cost;
    row.currency = each.currency;
  }
  return {};
}

Result<std::vector<UsageIndicators>> of_run(const Options& options, RatingFiles& files) {
  const auto text = read_file_whole(options.run, kLargestDocument);
  if (!text) return tl::unexpected(text.error());
  const auto record = from_json(*text);
  if (!record) return failure(options.run + ": " + record.error().message, record.error().remedy);
  const auto label = [&](std::initializer_list<const char*> names) {
    for (const char* name : names)
      if (const auto found = record->labels.find(name); found != record->labels.end())
        return found->second;
    return std::string();
  };
  UsageIndicators row;
  row.tenant = options.tenant.empty() ? label({"tenant"}) : options.tenant;
  row.model_type = options.model_type.empty() ? label({"model_type", "model"}) : options.model_type;
  row.target_accuracy =
      options.target_accuracy.empty() ? label({"target_accuracy"}) : options.target_accuracy;
  row.time_ns = record->wall_ns;
  row.time_is_the_targets = record->time_is_the_targets;
  for (const auto& [unit, amount] : record->counts.total_work()) row.work[unit] += amount;
  for (const std::string& each : options.work) {
    const auto work = work_of(each);
    if (!work) return tl::unexpected(work.error());
    row.work[work->first] += work->second;
  }
  const Counts totals = record->counts.totals();
  if (record->counts.quality != Quality::kMissing) {
    row.bops_formula = bops_formula(totals.instructions);
    if (totals.operations) row.bops_decoded = totals.operations->total();
  }
  if (!options.prices.empty()) {
    const auto terms = files.terms({}, options.prices);
    if (!terms) return tl::unexpected(terms.error());
    if (auto cost = add_cost(row, *terms); !cost) return tl::unexpected(cost.error());
  }
  return std::vector{row};
}

Result<std::vector<UsageIndicators>> of_records(const Options& options, RatingFiles& files) {
  const auto from = files.time("--from", options.from);
  if (!from) return tl::unexpected(from.error());
  const auto until = files.time("--until", options.until);
  if (!until) return tl::unexpected(until.error());
  const auto terms = files.terms({}, options.prices);
  if (!terms) return tl::unexpected(terms.error());
  const auto use = files.records(options.records, std::nullopt);
  if (!use) return tl::unexpected(use.error());
  auto rows = indicators(*use, *terms, *from, *until);
  if (!rows) return rows;
  std::erase_if(*rows, [&](const UsageIndicators& row) {
    return (!options.tenant.empty() && row.tenant != options.tenant) ||
           (!options.model_type.empty() && row.model_type != options.model_type);
  });
  return rows;
}

int show(const Options& options) {
  RatingFiles files;
  const auto rows = options.run.empty() ? of_records(options, files) : of_run(options, files);
  if (!rows) return report_error(rows.error());
  const std::string text = options.format == "json"  ? indicators_json(*rows)
                           : options.format == "csv" ? indicators_csv(*rows)
                                                     : indicators_text(*rows);
  const auto written = write_file_whole(options.output, text, 0666);
  return written ? 0 : report_error(written.error());
}

}  // namespace

void add_usage_indicators(CLI::App& usage) {
  auto options = std::make_shared<Options>();
  CLI::App* command = usage.add_subcommand("indicators", kDescription);
  CLI::Option* run =
      command->add_option("--run", options->run, "A bops.run.v1 file, as bops run -o writes it");
  CLI::Option* records = command->add_option("--records", options->records,
                                             "Usage records: FILE, DIR, - for stdin, or a ledger");
  run->excludes(records);
  command->add_option("--from", options->from, "Only use from this time on")->needs(records);
  command->add_option("--until", options->until, "Only use before this time")->needs(records);
  command->add_option("--prices", options->prices, "Prices (JSON), for what it costs");
  command->add_option("--tenant", options->tenant, "The tenant of the run; only that of records");
  command->add_option("--model-type", options->model_type,
                      "The model type of the run; only that of records");
  command
      ->add_option("--target-accuracy", options->target_accuracy,
                   "The target accuracy of the run, in percent")
      ->needs(run);
  command->add_option("--work", options->work, "UNIT=N that the run did (repeatable)")
      ->allow_extra_args(false)
      ->needs(run);
  command->add_option("--format", options->format, "text, json or csv")
      ->check(CLI::IsMember({"text", "json", "csv"}))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "Write to FILE instead of stdout");
  command->footer(kFooter);
  command->callback([options] {
    if (options->run.empty() && options->records.empty())
      throw CLI::RuntimeError(
          report_error({"neither --run nor --records is given", "give one of them"}));
    throw CLI::RuntimeError(show(*options));
  });
}

}  // namespace bops
