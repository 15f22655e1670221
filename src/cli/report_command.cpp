// bops report: shows a stored record again, in any format.
#include <memory>

#include "cli/cli.hpp"
#include "cli/report_sink.hpp"
#include "platform/files.hpp"
#include "report/json.hpp"

namespace bops {
namespace {

struct Options {
  std::string record;
  std::string output;
  std::string format;
  bool per_thread = false;
};

int show(const Options& options) {
  const auto text = read_file_whole(options.record, kLargestDocument);
  if (!text) return report_error(text.error());
  const auto record = from_json(*text);
  if (!record)
    return report_error({options.record + ": " + record.error().message, record.error().remedy,
                         FailureKind::kRefused});
  auto sink = ReportSink::open(options.output, options.format, false);
  if (!sink) return report_error(sink.error());
  const auto written = sink->write(*record, {options.per_thread, use_colour("auto", sink->fd())});
  return written ? 0 : report_error(written.error());
}

}  // namespace

void add_report_command(CLI::App& app, const Invocation& invocation) {
  (void)invocation;
  auto options = std::make_shared<Options>();
  options->output = "-";
  CLI::App* command =
      app.add_subcommand("report", "Show a stored run record (JSON) again, in any format.");
  command->add_option("record", options->record, "A bops.run.v1 file, as bops run -o writes it")
      ->required();
  command->add_option("-o,--output", options->output,
                      "Write to FILE (.txt .json .csv .md .html) instead of stdout");
  command->add_option("--format", options->format, "Format of the report");
  command->add_flag("--per-thread", options->per_thread, "Show every thread in the report");
  command->callback([options] { throw CLI::RuntimeError(show(*options)); });
}

}  // namespace bops
