// bops usage export and push: records for other systems.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>

#include "cli/cli.hpp"
#include "cli/usage/rate_verb.hpp"
#include "cli/usage/usage_verbs.hpp"
#include "platform/files.hpp"
#include "platform/unique_fd.hpp"
#include "report/escape.hpp"
#include "usage/export.hpp"
#include "usage/import.hpp"
#include "usage/push.hpp"

namespace bops {
namespace {

void tell_problem(const QuarantinedLine& line) {
  std::cerr << "bops: " << printable(line.file) << ", line " << line.line << ": "
            << printable(line.reason) << '\n';
}

struct ExportOptions {
  RateOptions rating;  ///< for focus
  std::string records;
  std::string format = "jsonl";
  std::string output = "-";
};

constexpr const char* kExportFooter = R"(
prometheus is the classic text format, for node-exporter's text file collector: written beside FILE
and renamed, so that it is never read half. openmetrics is the format of that name; node-exporter does
not read it. Both are for monitoring only: totals by tenant and model, no identity.

focus is FOCUS 1.2 (CSV) of what the records cost: bops usage rate --format focus.

Examples:
  bops usage export ledger.db --format focus --prices prices.json -o november.csv
  bops usage export ledger.db --format prometheus -o /var/lib/node_exporter/bops.prom)";

/// Writes to standard output, or to a file that appears whole under its name.
class Output {
 public:
  static Result<Output> open(const std::string& path) {
    Output output;
    if (path == "-") return output;
    output.path_ = path;
    output.beside_ = path + ".new." + std::to_string(::getpid());
    output.fd_.reset(
        ::open(output.beside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!output.fd_)
      return failure("cannot write " + output.beside_ + ": " + std::strerror(errno),
                     "name a file in a directory that you can write to");
    return output;
  }

  Result<void> write(const std::string& text) {
    buffer_ += text;
    return buffer_.size() < kBlock ? Result<void>{} : flush();
  }

  Result<void> finish() {
    if (auto flushed = flush(); !flushed) return discard(flushed.error());
    if (path_.empty()) return {};
    if (::fsync(fd_.get()) != 0 || std::rename(beside_.c_str(), path_.c_str()) != 0)
      return discard({"cannot write " + path_ + ": " + std::strerror(errno), ""});
    return {};
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 20U;
  Result<void> flush() {
    auto written = path_.empty() ? write_all(STDOUT_FILENO, buffer_, "standard output")
                                 : write_all(fd_.get(), buffer_, beside_);
    buffer_.clear();
    return written;
  }
  Result<void> discard(Error error) {
    ::unlink(beside_.c_str());
    return tl::unexpected(std::move(error));
  }
  std::string path_;
  std::string beside_;
  UniqueFd fd_;
  std::string buffer_;
};

int export_focus(const ExportOptions& options) {
  RateOptions rating = options.rating;
  if (rating.packages.empty() && rating.prices.empty())
    return report_error({"FOCUS rows say what use costs, and neither prices nor packages are given",
                         "add --prices FILE, --packages FILE or both"});
  rating.records = options.records;
  rating.output = options.output;
  rating.format = "focus";
  return rate_usage(rating);
}

int export_records(const ExportOptions& options) {
  if (options.format == "focus") return export_focus(options);
  const auto ledger = open_records(options.records, tell_problem);
  if (!ledger) return report_error(ledger.error());
  auto output = Output::open(options.output);
  if (!output) return report_error(output.error());
  const TextWriter write = [&](const std::string& text) { return output->write(text); };
  Result<void> done;
  if (options.format == "jsonl")
    done = export_jsonl(**ledger, write);
  else if (options.format == "csv")
    done = export_csv(**ledger, write);
  else
    done = export_metrics(**ledger, options.format == "openmetrics", write);
  if (done) done = output->finish();
  return done ? 0 : report_error(done.error());
}

struct PushOptions {
  std::string ledger;
  std::string to;
};

constexpr const char* kPushFooter = R"(
The ledger is the outbox, and keeps how far each sink has come: push again after any failure or kill,
and it goes on there. Records may come twice, never not at all; (source, id) tells them: PostgreSQL
keeps each once, a consumer of Kafka compares keys.

Examples:
  bops usage push ledger.db --to postgresql://billing/usage
  bops usage push ledger.db --to kafka://broker:9092/usage)";

int push(const PushOptions& options) {
  const auto ledger = Ledger::open(options.ledger, false);
  if (!ledger) return report_error(ledger.error());
  const auto sink = open_record_sink(options.to);
  if (!sink) return report_error(sink.error());
  const std::string name = without_secrets(options.to);
  const auto sent = push_records(**ledger, **sink, name);
  if (!sent) return report_error(sent.error());
  std::cout << *sent << " records pushed to " << printable(name) << '\n';
  return 0;
}

}  // namespace

void add_usage_export(CLI::App& usage) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* verb = usage.add_subcommand("export", "Write records in another format.");
  verb->add_option("records", options->records, "A ledger, a file or a directory")->required();
  verb->add_option("--format", options->format, "The format")
      ->check(CLI::IsMember({"jsonl", "csv", "focus", "prometheus", "openmetrics"}))
      ->capture_default_str();
  verb->add_option("-o,--output", options->output, "Write to FILE instead of standard output");
  verb->add_option("--packages", options->rating.packages, "focus: the prepaid packages (JSON)");
  verb->add_option("--prices", options->rating.prices, "focus: the prices (JSON)");
  verb->add_option("--cutoff", options->rating.cutoff, "focus: as of bops usage rate");
  verb->add_option("--provider", options->rating.provider, "focus: who provides and invoices");
  verb->footer(kExportFooter);
  verb->callback([options] { throw CLI::RuntimeError(export_records(*options)); });
}

void add_usage_push(CLI::App& usage) {
  auto options = std::make_shared<PushOptions>();
  CLI::App* verb = usage.add_subcommand("push", "Hand the records of a ledger over.");
  verb->add_option("ledger", options->ledger, "The ledger")->required();
  verb->add_option("--to", options->to, "postgresql://HOST/DATABASE or kafka://HOST:PORT/TOPIC")
      ->required();
  verb->footer(kPushFooter);
  verb->callback([options] { throw CLI::RuntimeError(push(*options)); });
}

}  // namespace bops
