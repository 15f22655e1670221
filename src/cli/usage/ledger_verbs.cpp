// bops usage import, list, show and summary: what goes into a ledger, and a look at it.
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/cli.hpp"
#include "cli/usage/usage_verbs.hpp"
#include "report/escape.hpp"
#include "usage/import.hpp"
#include "usage/push.hpp"
#include "usage/summary.hpp"
#include "usage/usage_timeline.hpp"

namespace bops {
namespace {

void tell_problem(const QuarantinedLine& line) {
  std::cerr << "bops: " << printable(line.file) << ", line " << line.line << ": "
            << printable(line.reason) << '\n';
}

struct ImportOptions {
  std::vector<std::string> paths;
  std::string ledger;
  std::string received;
  bool strict = false;
  bool json = false;
};

constexpr const char* kImportFooter = R"(
PATH is a file of records, a directory of them (*.jsonl), or - for standard input. Importing again has
no effect; an import that was cut off goes on where it was. A line that is no record is told with its
number and its reason, and kept in quarantine; the rest goes in. A key that comes with other bytes than
before is disputed: both are kept, and neither is rated.

Exit status: 0; 1 under --strict if anything went into quarantine; 125 if bops failed.

Example:
  bops usage import /var/lib/bops/usage --ledger ledger.db)";

int import(const ImportOptions& options) {
  UtcNs received = now_on_both_clocks().utc;
  if (!options.received.empty()) {
    const auto given = parse_utc(options.received);
    if (!given) return report_error(given.error());
    received = *given;
  }
  const auto ledger = Ledger::open(options.ledger, true);
  if (!ledger) return report_error(ledger.error());
  const auto report = import_records(**ledger, options.paths, received, tell_problem);
  if (!report) return report_error(report.error());
  const AppendCounts& counts = report->counts;
  if (options.json) {
    std::cout << nlohmann::ordered_json{{"schema", "bops.usage.import.v1"},
                                        {"files", report->files},
                                        {"lines", report->lines},
                                        {"resumed", report->resumed},
                                        {"added", counts.added},
                                        {"duplicates", counts.duplicates},
                                        {"disputed", counts.disputed},
                                        {"quarantined", counts.quarantined},
                                        {"checkpoints", report->checkpoints}}
                     .dump(2)
              << '\n';
  } else {
    std::cout << report->files << " files, " << report->lines << " lines: " << counts.added
              << " records added, " << counts.duplicates << " were there, " << counts.disputed
              << " keys newly disputed, " << counts.quarantined << " lines in quarantine\n";
    if (report->resumed > 0)
      std::cout << "taken up behind " << report->resumed
                << " lines of an import that was cut off\n";
  }
  return options.strict && counts.quarantined > 0 ? 1 : 0;
}

struct ListOptions {
  std::string records;
  std::string tenant;
  std::string meter;
  bool disputed = false;
  bool quarantine = false;
};

int list(const ListOptions& options) {
  const auto ledger = open_records(options.records, tell_problem);
  if (!ledger) return report_error(ledger.error());
  if (options.quarantine) {
    const auto lines = (*ledger)->quarantine();
    if (!lines) return report_error(lines.error());
    for (const QuarantinedLine& line : *lines)
      std::cout << printable(line.file) << '\t' << line.line << '\t' << printable(line.reason)
                << '\n';
    return 0;
  }
  const auto seen = (*ledger)->for_each([&](const StoredRecord& stored) -> Result<void> {
    const auto record = parse_usage_line(stored.line);
    if (!record) return tl::unexpected(record.error());
    if ((!options.tenant.empty() && record->subject != options.tenant) ||
        (!options.meter.empty() && record->meter != options.meter) ||
        (options.disputed && !stored.disputed))
      return {};
    std::cout << format_utc(record->start) << '\t' << printable(record->subject) << '\t'
              << record->meter << '\t' << record->quantity << '\t' << printable(record->unit)
              << '\t' << record->key.source << '\t' << printable(record->key.id);
    if (record->is_reversal())
      std::cout << "\treverses " << record->reverses->source << ' '
                << printable(record->reverses->id);
    std::cout << (stored.disputed ? "\tdisputed\n" : stored.rejected ? "\trejected\n" : "\n");
    return {};
  });
  return seen ? 0 : report_error(seen.error());
}

struct ShowOptions {
  std::string records;
  std::string source;
  std::string id;
};

int show(const ShowOptions& options) {
  const auto ledger = open_records(options.records, tell_problem);
  if (!ledger) return report_error(ledger.error());
  const auto records = (*ledger)->with_key({options.source, options.id});
  if (!records) return report_error(records.error());
  for (const StoredRecord& record : *records) std::cout << record.line << '\n';
  if (std::any_of(records->begin(), records->end(),
                  [](const StoredRecord& record) { return record.disputed; }))
    std::cerr << "bops: the key is disputed: it came with different bytes, none of which is rated "
                 "(bops usage resolve)\n";
  if (records->empty())
    return report_error(
        {"there is no record " + options.id + " of " + options.source, "", FailureKind::kRefused});
  return 0;
}

struct SummaryOptions {
  std::string records;
  std::vector<std::string> by{"hour", "model"};
  bool json = false;
};

int summary(const SummaryOptions& options) {
  const auto ledger = open_records(options.records, tell_problem);
  if (!ledger) return report_error(ledger.error());
  const auto has = [&](const char* name) {
    return std::find(options.by.begin(), options.by.end(), name) != options.by.end();
  };
  const SummaryFields fields{has("hour"), has("model"), has("job"), has("source")};
  const auto result = summarise_records(**ledger, fields);
  if (!result) return report_error(result.error());
  for (const auto& [key, sum] : result->sums) {
    nlohmann::ordered_json row;
    if (fields.hour) row["hour"] = format_utc(key.hour).substr(0, 19) + "Z";
    row["tenant"] = key.subject;
    row["meter"] = key.meter;
    row["unit"] = key.unit;
    if (fields.model)
      row["model"] =
          key.model.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(key.model);
    if (fields.job)
      row["job"] = key.job.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(key.job);
    if (fields.source) row["source"] = key.source;
    row["quantity"] = to_decimal(sum);
    if (options.json) {
      std::cout << row.dump() << '\n';
      continue;
    }
    const char* divider = "";
    for (const auto& field : row) {
      std::cout << std::exchange(divider, "\t")
                << (field.is_null() ? "-" : printable(field.get<std::string>()));
    }
    std::cout << '\n';
  }
  if (result->disputed + result->rejected + result->reversed > 0)
    std::cerr << "bops: not in the sums: " << result->disputed << " records of disputed keys, "
              << result->rejected << " rejected, " << result->reversed << " reversed\n";
  return 0;
}

}  // namespace

void add_usage_import(CLI::App& usage) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* verb = usage.add_subcommand("import", "Bring records into a ledger.");
  verb->add_option("path", options->paths, "Records: files, directories, -")->required();
  verb->add_option("--ledger", options->ledger, "FILE.db, or postgresql://HOST/DATABASE")
      ->required();
  verb->add_option("--received", options->received,
                   "Take this time (UTC) for when they were received, instead of now");
  verb->add_flag("--strict", options->strict, "Exit with 1 if anything goes into quarantine");
  verb->add_flag("--json", options->json, "Print the summary as JSON");
  verb->footer(kImportFooter);
  verb->callback([options] { throw CLI::RuntimeError(import(*options)); });
}

void add_usage_list(CLI::App& usage) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* verb = usage.add_subcommand("list", "List records, one on each line, tabs between.");
  verb->add_option("records", options->records, "A ledger, a file or a directory")->required();
  verb->add_option("--tenant", options->tenant, "Of this tenant only");
  verb->add_option("--meter", options->meter, "Of this meter only");
  verb->add_flag("--disputed", options->disputed, "Those of disputed keys only");
  verb->add_flag("--quarantine", options->quarantine,
                 "List the lines in quarantine instead: file, line, reason");
  verb->callback([options] { throw CLI::RuntimeError(list(*options)); });
}

void add_usage_show(CLI::App& usage) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* verb = usage.add_subcommand("show", "Print the exact line of one record.");
  verb->add_option("records", options->records, "A ledger, a file or a directory")->required();
  verb->add_option("source", options->source, "The source of the record")->required();
  verb->add_option("id", options->id, "Its id")->required();
  verb->callback([options] { throw CLI::RuntimeError(show(*options)); });
}

void add_usage_summary(CLI::App& usage) {
  auto options = std::make_shared<SummaryOptions>();
  CLI::App* verb = usage.add_subcommand("summary", "Sum records by hour, tenant, meter and model.");
  verb->add_option("records", options->records, "A ledger, a file or a directory")->required();
  verb->add_option("--by", options->by,
                   "What else than tenant and meter to keep apart: hour, model, job, source")
      ->delimiter(',')
      ->check(CLI::IsMember({"hour", "model", "job", "source"}))
      ->capture_default_str();
  verb->add_flag("--json", options->json, "Print JSON lines");
  verb->callback([options] { throw CLI::RuntimeError(summary(*options)); });
}

}  // namespace bops
