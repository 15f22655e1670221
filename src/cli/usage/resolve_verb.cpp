// bops usage resolve: ends the dispute of a key.
#include <algorithm>
#include <iostream>
#include <memory>

#include "cli/cli.hpp"
#include "cli/usage/usage_verbs.hpp"
#include "report/escape.hpp"
#include "usage/ledger.hpp"
#include "usage/usage_timeline.hpp"

namespace bops {
namespace {

constexpr const char* kFooter = R"(
A key that came with different bytes is disputed: none of its records is summed or rated. Without --keep
and --none: shows them, with their SHA-256 (a beginning that only one has will do). The decision is kept
in the ledger for good, with its reason; a later one takes its place. Records that come later with still
other bytes dispute the key again.

Examples:
  bops usage list ledger.db --disputed
  bops usage resolve ledger.db /bops/HOST/BOOT/RUN 17
  bops usage resolve ledger.db /bops/HOST/BOOT/RUN 17 --keep 3f2a9c --reason "ticket 4711")";

struct Options {
  std::string ledger;
  UsageKey key;
  std::string keep;
  std::string reason;
  bool none = false;
};

void show(const std::vector<RecordCopy>& copies) {
  for (const RecordCopy& copy : copies) {
    const auto record = parse_usage_line(copy.record.line);
    std::cout << copy.sha256 << '\t' << format_utc(copy.record.received) << '\t';
    if (record)
      std::cout << printable(record->subject) << '\t' << record->meter << '\t' << record->quantity;
    std::cout << (copy.record.disputed   ? "\tdisputed\n"
                  : copy.record.rejected ? "\trejected\n"
                                         : "\tcounts\n");
  }
}

int resolve(const Options& options) {
  const auto ledger = Ledger::open(options.ledger, false);
  if (!ledger) return report_error(ledger.error());
  const auto copies = (*ledger)->copies_of(options.key);
  if (!copies) return report_error(copies.error());
  if (copies->empty())
    return report_error({"there is no record " + options.key.id + " of " + options.key.source, "",
                         FailureKind::kRefused});
  if (options.keep.empty() && !options.none) {
    show(*copies);
    return 0;
  }
  std::string sha256;
  if (!options.none) {
    const auto fits = [&](const RecordCopy& copy) { return copy.sha256.starts_with(options.keep); };
    const auto found = std::find_if(copies->begin(), copies->end(), fits);
    if (std::count_if(copies->begin(), copies->end(), fits) != 1)
      return report_error({(found == copies->end() ? "no record" : "more than one record") +
                               std::string(" of the key has a SHA-256 that begins with ") +
                               options.keep,
                           "without --keep, bops usage resolve shows them", FailureKind::kRefused});
    sha256 = found->sha256;
  }
  if (auto done = (*ledger)->resolve(options.key, sha256, options.reason, now_on_both_clocks().utc);
      !done)
    return report_error(done.error());
  return 0;
}

}  // namespace

void add_usage_resolve(CLI::App& usage) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = usage.add_subcommand("resolve", "Say which record of a disputed key counts.");
  verb->add_option("ledger", options->ledger, "The ledger")->required();
  verb->add_option("source", options->key.source, "The source of the records")->required();
  verb->add_option("id", options->key.id, "Their id")->required();
  CLI::Option* keep = verb->add_option("--keep", options->keep, "The one with this SHA-256 counts");
  CLI::Option* none = verb->add_flag("--none", options->none, "None of them counts");
  CLI::Option* reason = verb->add_option("--reason", options->reason, "Why: kept in the ledger");
  keep->excludes(none)->needs(reason);
  none->needs(reason);
  verb->footer(kFooter);
  verb->callback([options] { throw CLI::RuntimeError(resolve(*options)); });
}

}  // namespace bops
