// bops recover: the record of a run whose bops died.
#include <iostream>
#include <memory>

#include "cli/cli.hpp"
#include "cli/report_sink.hpp"
#include "platform/state_directory.hpp"
#include "report/escape.hpp"
#include "session/run_session.hpp"
#include "session/usage_state.hpp"
#include "usage/push.hpp"

namespace bops {
namespace {

constexpr const char* kFooter = R"(
Without a name: lists the runs whose counts are in no record yet. With one: writes its report to
stderr or to the file of -o, and removes its counts unless --keep is given. Usage records (--usage) that
bops could not write are written now, from the counts, and their chain is closed; not with --keep.)";

struct Options {
  std::string run;
  std::string output;
  std::string format;
  bool per_thread = false;
  bool keep = false;
};

std::string describe(const RunManifest& manifest) {
  std::string line = manifest.started;
  line += "  ";
  line += manifest.collector;
  line += "  ";
  line += manifest.command ? shell_quoted(*manifest.command) : "(redacted)";
  return line;
}

int list(const std::string& state) {
  const auto runs = list_runs();
  if (!runs) return report_error(runs.error());
  std::size_t listed = 0;
  for (const std::string& run : *runs) {
    const auto manifest = read_manifest(std::string(state).append("/").append(run));
    if (manifest && is_running(*manifest)) continue;
    ++listed;
    std::cout << run << "  " << (manifest ? describe(*manifest) : manifest.error().message) << '\n';
  }
  if (listed == 0) std::cerr << "bops: no run to recover in " << printable(state) << '\n';
  return 0;
}

/// The usage records that the run lacks. 0, or the status of the failure, which was told.
int recover_usage_of(const std::string& path, const RunManifest& manifest,
                     const RunRecord& record) {
  const auto usage = recover_usage(path, manifest, record);
  if (!usage)
    return report_error({"the usage records of the run are not complete: " + usage.error().message,
                         usage.error().remedy, usage.error().kind});
  if (*usage)
    std::cerr << "bops: " << (*usage)->records << " usage records of the time from "
              << format_utc((*usage)->open_since) << " on were written to "
              << printable(without_secrets((*usage)->target)) << '\n';
  return 0;
}

/// The counts are gone: says what the usage records lack, if there are any.
Error with_open_usage(Error error, const std::string& path) {
  if (const auto since = usage_open_since(path); since && *since)
    error.message += "; what was used from " + format_utc(**since) + " on is in no usage record";
  return error;
}

int recover(const Options& options, Collectors collectors) {
  const auto state = state_directory();
  if (!state) return report_error(state.error());
  if (options.run.empty()) return list(*state);
  if (options.run.find('/') != std::string::npos || options.run.starts_with('.'))
    return report_error({options.run + " is not the name of a run", "bops recover lists them",
                         FailureKind::kRefused});
  const std::string path = *state + "/" + options.run;
  const auto manifest = read_manifest(path);
  if (!manifest)
    return report_error(
        {"no run " + options.run + " to recover in " + *state + ": " + manifest.error().message,
         "bops recover lists those there are", FailureKind::kRefused});
  if (is_running(*manifest))
    return report_error({"bops is still running this: " + options.run,
                         "wait for it; its process id is " + std::to_string(manifest->bops_pid),
                         FailureKind::kRefused});
  auto sink = ReportSink::open(options.output, options.format, false);
  if (!sink) return report_error(sink.error());
  const auto record = recover_run(path, collectors);
  if (!record) return report_error(with_open_usage(record.error(), path));
  if (const auto written =
          sink->write(*record, {options.per_thread, use_colour("auto", sink->fd())});
      !written)
    return report_error(written.error());
  if (options.keep) return 0;
  if (const int status = recover_usage_of(path, *manifest, *record); status != 0) return status;
  remove_run(path);
  return 0;
}

}  // namespace

void add_recover_command(CLI::App& app, const Invocation& invocation) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "recover", "Make the record of a run whose bops died: its counts are still there.");
  command->add_option("run", options->run, "Name of the run; without it, list the runs");
  command->add_option("-o,--output", options->output,
                      "Write the report to FILE (.txt .json .csv .md .html), - is stdout");
  command->add_option("--format", options->format, "Format of the report");
  command->add_flag("--per-thread", options->per_thread, "Show every thread in the report");
  command->add_flag("--keep", options->keep, "Do not remove the counts");
  command->footer(kFooter);
  command->callback([options, &invocation] {
    throw CLI::RuntimeError(recover(*options, invocation.collectors));
  });
}

}  // namespace bops
