// bops usage rate: what records cost.
#include "cli/usage/rate_verb.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "cli/cli.hpp"
#include "cli/usage/rating_document.hpp"
#include "cli/usage/rating_files.hpp"
#include "cli/usage/usage_verbs.hpp"
#include "platform/files.hpp"
#include "report/escape.hpp"
#include "report/text.hpp"
#include "usage/rating/focus.hpp"

namespace bops {
namespace {

constexpr const char* kDescription =
    "Rate usage: deduct it from prepaid packages, the rest at the price (pay as you go).";
constexpr const char* kFooter = R"(
RECORDS are lines of bops.usage.v1 events, or a JSON array of
  {"source": "h1", "id": "a", "start": 0, "end": 60, "qty": 10}
with whole seconds from a UTC hour; then all times of packages, prices and --cutoff are seconds.
A line of output is {"hour", "kind": package | payg | lapse, "package", "qty", "amount"}, with tenant,
meter and currency where records have them. With --previous the lines are differences (dqty,
damount). src/usage/rating/README.md says how it is rated.

Exit status: 0; 1 with --strict if anything was quarantined; 125 if nothing could be rated.

Examples:
  bops usage rate --records use.jsonl --packages packages.json --prices prices.json
  bops usage rate --records use.jsonl --prices prices.json --cutoff 2026-12-01T00:15:00Z \
    --previous november.jsonl >> november.jsonl)";

Result<std::string> rated(const RateOptions& options, RatingFiles& files) {
  RatingPolicy policy;
  policy.boundary = options.boundary == "hour" ? Boundary::kHour : Boundary::kExact;
  policy.charge_unknown_error = options.charge_unknown_error;
  const auto cutoff = files.time("--cutoff", options.cutoff);
  if (!cutoff) return tl::unexpected(cutoff.error());
  policy.cutoff = *cutoff;
  const auto terms = files.terms(options.packages, options.prices);
  if (!terms) return tl::unexpected(terms.error());
  const auto use = files.records(options.records, policy.cutoff);
  if (!use) return tl::unexpected(use.error());
  auto rating = rate(*use, *terms, policy);
  if (!rating) return tl::unexpected(rating.error());
  warn_unrated(rating->unrated);
  const bool is_difference = !options.previous.empty();
  if (is_difference) {
    const auto before = files.lines(options.previous);
    if (!before) return tl::unexpected(before.error());
    auto changed = difference(*before, rating->lines);
    if (!changed) return tl::unexpected(changed.error());
    rating->lines = *std::move(changed);
  }
  if (options.format == "focus") {
    const auto invoiced = files.time("--invoiced-until", options.invoiced_until);
    if (!invoiced) return tl::unexpected(invoiced.error());
    for (const Package& package : terms->packages)
      if (!package.cost && !is_difference)
        std::cerr << "bops: note: package " << printable(package.id)
                  << " says no cost: its purchase is a row of 0\n";
    return focus_csv(*rating, *terms, {options.provider, is_difference, *invoiced, policy.cutoff});
  }
  if (options.format == "text")
    return document_text(describe(*rating, files.form(), is_difference), false);
  return json_lines(rating->lines, files.form(), is_difference);
}

}  // namespace

int rate_usage(const RateOptions& options) {
  RatingFiles files;
  const auto text = rated(options, files);
  if (!text) return report_error(text.error());
  if (const auto written = write_file_whole(options.output, *text, 0666); !written)
    return report_error(written.error());
  return options.strict && files.left_out().anything() ? 1 : 0;
}

void add_usage_rate(CLI::App& usage) {
  auto options = std::make_shared<RateOptions>();
  CLI::App* rate = usage.add_subcommand("rate", kDescription);
  rate->add_option("--records", options->records,
                   "The usage records: FILE, DIR, - for stdin, or a ledger")
      ->required();
  rate->add_option("--packages", options->packages, "The prepaid packages (JSON)");
  rate->add_option("--prices", options->prices, "The prices (JSON)");
  rate->add_option("--boundary", options->boundary,
                   "A package bought or expiring within an hour pays for its part of the hour "
                   "(exact), or for all of it (hour)")
      ->check(CLI::IsMember({"exact", "hour"}))
      ->capture_default_str();
  rate->add_option("--cutoff,--now", options->cutoff,
                   "Look at what was received, and lapse what expired, up to this time");
  rate->add_option("--previous", options->previous,
                   "Lines of an earlier rating: write what must be added to them");
  rate->add_option("--format", options->format,
                   "json (one line each), text, or focus (FOCUS 1.2, CSV)")
      ->check(CLI::IsMember({"json", "text", "focus"}))
      ->capture_default_str();
  rate->add_option("--provider", options->provider, "Who provides and invoices, in FOCUS rows")
      ->capture_default_str();
  rate->add_option("--invoiced-until", options->invoiced_until,
                   "With --previous, in FOCUS rows: only months that ended by this time are "
                   "invoiced, and differences in them corrections")
      ->needs("--previous");
  rate->add_option("-o,--output", options->output, "Write to FILE instead of stdout");
  rate->add_flag("--charge-unknown-error", options->charge_unknown_error,
                 "Rate records without an error bound as well");
  rate->add_flag("--strict", options->strict, "Exit status 1 if anything was quarantined");
  rate->footer(kFooter);
  rate->callback([options] { throw CLI::RuntimeError(rate_usage(*options)); });
}

}  // namespace bops
