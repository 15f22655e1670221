// bops run: counts one command.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <tuple>

#include "cli/cli.hpp"
#include "cli/durations.hpp"
#include "cli/report_sink.hpp"
#include "launch/command.hpp"
#include "launch/interpreter.hpp"
#include "launch/target_process.hpp"
#include "platform/clock.hpp"
#include "platform/files.hpp"
#include "report/escape.hpp"
#include "report/repeat.hpp"
#include "session/run_session.hpp"
#include "session/vector_runs.hpp"
#include "validate/calibration.hpp"

namespace bops {
namespace {

constexpr const char* kDescription =
    "Run a command and count what it executes, in all its threads and children:\n"
    "bops run [OPTIONS] -- CMD [ARGS...]";
constexpr const char* kFooter = R"(
The command's stdin, stdout and stderr are its own; the report goes to stderr after it has ended,
or to the file of -o. The exit status is the command's; if it died by a signal, so does bops.
125: bops failed or refused, 126: the command cannot be executed, 127: it was not found.

Examples:
  bops run -- xz -k FILE
  bops run -o run.json --label build=O3 -- ./server --requests 100
  bops run --interval 1s -o load.json -- python3 job.py)";

constexpr std::uint32_t kMaxRepeats = 100000;

struct Options {
  std::string collector = "auto";
  std::string output;
  std::string format;
  std::string interval;
  std::string delay;
  std::string control;
  std::string vector;
  std::uint64_t sample_period = 0;
  std::string colour = "auto";
  std::string calibration;
  std::vector<std::string> labels;
  std::uint32_t repeat = 1;
  bool per_thread = false;
  bool redact = false;
  bool require_pmu = false;
  bool with_kernel = false;
  bool no_ptrace = false;
  bool allow_uncounted = false;
  bool strict = false;
};

void add_options(CLI::App& run, Options& options) {
  run.add_option("--collector", options.collector,
                 "What counts: auto, or one that bops doctor lists")
      ->capture_default_str();
  run.add_option("-o,--output", options.output,
                 "Write the report to FILE (.txt .json .csv .md .html), - is stdout");
  run.add_option("--format", options.format, "Format of the report, whatever FILE is called");
  run.add_flag("--per-thread", options.per_thread, "Show every thread in the report");
  run.add_option("--interval", options.interval,
                 "Write a JSON line of what was executed in each interval, e.g. 500ms");
  run.add_option("--delay", options.delay, "Count only from then on, e.g. 5s");
  run.add_option("--control", options.control,
                 "Obey the lines start, stop and snapshot written to FIFO");
  run.add_option("--repeat", options.repeat, "Run the command N times; mean and spread")
      ->check(CLI::Range(1U, kMaxRepeats));
  run.add_option("--label", options.labels, "KEY=VALUE to keep in the record (repeatable)")
      ->allow_extra_args(false);
  run.add_flag("--redact", options.redact, "Leave the command's words out of every record");
  run.add_option("--calibration", options.calibration,
                 "Estimate the decoded operations by FILE of bops calibrate, made for this build");
  run.add_flag("--strict", options.strict, "Exit with 125 if the count is anything but exact");
  run.add_flag("--require-pmu", options.require_pmu, "Refuse to run without hardware counters");
  run.add_flag("--with-kernel", options.with_kernel,
               "Count what the kernel executes for the command as well (hardware counters)");
  run.add_flag("--vector{same-run}", options.vector,
               "Estimate floating-point and vector operations from their hardware events; "
               "=second-run: run the command again to count them")
      ->check(CLI::IsMember({"same-run", "second-run"}));
  run.add_flag("--sample{2000003}", options.sample_period,
               "Estimate the formula of each function by a sample of every PERIOD instructions, "
               "loads, stores and branches (hardware counters)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40U));
  run.add_flag("--no-ptrace", options.no_ptrace,
               "Do not follow threads by ptrace: hardware counters then give totals only");
  run.add_flag("--allow-uncounted", options.allow_uncounted,
               "Run a command that cannot be counted (setuid, 32-bit, ...) all the same");
  run.add_option("--color", options.colour, "Colour the text report")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  run.footer(kFooter);
}

Result<RunRequest> request_of(const Options& options, const Invocation& invocation) {
  RunRequest request;
  request.command = invocation.command;
  if (request.command.empty())
    return failure("no command to run", "put it behind two dashes: bops run -- CMD [ARGS...]");
  for (char** variable = environ; *variable != nullptr; ++variable)
    request.environment.emplace_back(*variable);
  request.collector = options.collector;
  request.require_pmu = options.require_pmu;
  request.allow_uncounted = options.allow_uncounted;
  request.redact = options.redact;
  for (const std::string& label : options.labels) {
    const auto equals = label.find('=');
    if (equals == std::string::npos || equals == 0)
      return failure("--label " + label + " is not KEY=VALUE",
                     "write --label build=O3, for instance");
    request.labels[label.substr(0, equals)] = label.substr(equals + 1);
  }
  request.with_kernel = options.with_kernel;
  if (options.vector == "same-run") request.vector = VectorCounting::kBeside;
  request.sample_period = options.sample_period;
  request.follow = !options.no_ptrace;
  request.control = options.control;
  for (const auto& [name, text, duration] :
       {std::tuple{"--interval", &options.interval, &request.interval},
        std::tuple{"--delay", &options.delay, &request.delay}}) {
    if (text->empty()) continue;
    const auto parsed = parse_duration(*text);
    if (!parsed)
      return failure(std::string(name) + " " + *text + " is not a duration",
                     "write 500ms, 2s or 1m, for instance");
    *duration = *parsed;
  }
  if (options.repeat > 1 && (request.interval.count() > 0 || !request.control.empty()))
    return failure("--repeat cannot be combined with --interval or --control",
                   "leave one of them out");
  if (options.sample_period > 0 && (request.delay.count() > 0 || !request.control.empty()))
    return failure("--sample is of a whole run, and cannot be combined with --delay or --control",
                   "leave one of them out");
  if (!options.vector.empty() && (request.delay.count() > 0 || !request.control.empty()))
    return failure("--vector is of a whole run, and cannot be combined with --delay or --control",
                   "leave one of them out");
  return request;
}

/// The calibration of --calibration, if there is one. Refuses one of another build before the
/// target runs.
Result<std::optional<Calibration>> calibration_for(const RunRequest& request,
                                                   const std::string& path) {
  if (path.empty()) return std::nullopt;
  const auto text = read_file_whole(path);
  if (!text) return tl::unexpected(text.error());
  auto calibration = calibration_from_json(*text);
  if (!calibration)
    return failure(path + ": " + calibration.error().message, calibration.error().remedy);
  const auto plan = resolve_command(request.command, request.environment);
  if (!plan) return tl::unexpected(plan.error());
  if (auto same = check_same_builds(*calibration, program_behind(plan->executable)); !same)
    return tl::unexpected(same.error());
  return std::optional<Calibration>(*std::move(calibration));
}

/// Tells where the counts are that could not be written.
void keep(FinishedRun& run) {
  run.directory.keep();
  std::cerr << "      the counts are kept: bops recover " << run.directory.name() << " -o FILE\n";
}

/// Runs the command as often as asked, until it is killed. The record of the last run, with the
/// spread over all of them.
Result<FinishedRun> run_repeatedly(const RunRequest& request, const Options& options,
                                   Collectors collectors, const RunListener& listener) {
  const std::uint32_t times = options.repeat;
  const auto run_once = options.vector == "second-run" ? run_with_vector_runs : run_session;
  std::vector<RunRecord> records;
  std::optional<FinishedRun> last;
  while (records.size() < times && !(last && last->record.exit.signal)) {
    last.reset();
    auto run = run_once(request, collectors, listener);
    if (!run) return run;
    records.push_back(run->record);
    last.emplace(std::move(*run));
  }
  if (times > 1) last->record.repeat = summarise(records);
  for (const RunRecord& record : records)
    last->record.counts.quality = poorer(last->record.counts.quality, record.counts.quality);
  return std::move(*last);
}

int run(const Options& options, const Invocation& invocation) {
  const auto request = request_of(options, invocation);
  if (!request) return report_error(request.error());
  const auto calibration = calibration_for(*request, options.calibration);
  if (!calibration) return report_error(calibration.error());
  auto sink = ReportSink::open(options.output, options.format,
                               request->interval.count() > 0 || !request->control.empty());
  if (!sink) return report_error(sink.error());
  bool noticed = false;
  const RunListener listener{[&](const std::string& notice) {
                               if (!std::exchange(noticed, true))
                                 std::cerr << "bops: " << printable(notice) << std::endl;
                             },
                             [&](const IntervalRecord& interval) { sink->write(interval); }};
  auto finished = run_repeatedly(*request, options, invocation.collectors, listener);
  if (!finished) return report_error(finished.error());
  if (*calibration) apply_calibration(**calibration, options.calibration, finished->record);

  const RenderOptions render{options.per_thread, use_colour(options.colour, sink->fd())};
  const std::uint64_t begin_ns = mono_ns();
  if (const auto written = sink->write(finished->record, render); !written) {
    const int status = report_error(written.error());
    keep(*finished);
    return status;
  }
  spdlog::debug("the target took {} us, the report {} us", finished->record.wall_ns / 1000,
                (mono_ns() - begin_ns) / 1000);
  const Quality quality = finished->record.counts.quality;
  if (options.strict && quality != Quality::kExact)
    return report_error(
        {"the count is " + std::string(to_string(quality)) + ", and --strict asks for exact",
         "the report's warnings say why", FailureKind::kRefused});
  const ExitStatus exit = finished->record.exit;
  { const OwnedRunDirectory written = std::move(finished->directory); }  // exit_like() does not
  exit_like(exit);
}

}  // namespace

void add_run_command(CLI::App& app, const Invocation& invocation) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", kDescription);
  add_options(*command, *options);
  command->callback([options, &invocation] { throw CLI::RuntimeError(run(*options, invocation)); });
}

}  // namespace bops
