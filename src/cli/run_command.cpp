// bops run: counts one command.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <tuple>

#include "cli/cli.hpp"
#include "cli/kept_run.hpp"
#include "cli/repeated_run.hpp"
#include "cli/report_sink.hpp"
#include "cli/reporting_options.hpp"
#include "cli/usage/calibrated_usage.hpp"
#include "cli/usage/emission_options.hpp"
#include "launch/command.hpp"
#include "launch/interpreter.hpp"
#include "launch/target_process.hpp"
#include "platform/clock.hpp"
#include "platform/files.hpp"
#include "report/escape.hpp"
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
or to the file of -o. The exit status is the command's; if it died by a signal, so does bops. With
--repeat it is that of the first run that failed; a run that was killed or interrupted is the last.
125: bops failed or refused, 126: the command cannot be executed, 127: it was not found.

Examples:
  bops run -- xz -k FILE
  bops run -o run.json --label build=O3 -- ./server --requests 100
  bops run --interval 1s -o load.json -- python3 job.py)";

constexpr std::uint32_t kMaxRepeats = 100000;

struct Options {
  ReportingOptions reporting;
  std::string gpu = "auto";
  std::string delay;
  std::string control;
  std::string vector;
  std::uint64_t sample_period = 0;
  std::string calibration;
  std::uint32_t repeat = 1;
  bool tensor_operations = false;
  bool require_pmu = false;
  bool no_ptrace = false;
  bool allow_uncounted = false;
  bool strict = false;
  EmissionOptions emission;
};

void add_options(CLI::App& run, Options& options) {
  add_reporting_options(run, options.reporting);
  run.add_option("--gpu", options.gpu,
                 "Count what NVIDIA GPUs execute: meter sums it at next to no cost; profile gives "
                 "each kernel, launching it again for each pass; auto meters where there is a GPU")
      ->check(CLI::IsMember({"off", "auto", "meter", "profile"}))
      ->capture_default_str();
  run.add_flag("--tensor-operations", options.tensor_operations,
               "With --gpu profile: also what matrix instructions compute, by type; each kernel is "
               "launched again about once for each type");
  run.add_option("--delay", options.delay, "Count only from then on, e.g. 5s");
  run.add_option("--control", options.control,
                 "Obey the lines start, stop and snapshot written to FIFO");
  run.add_option("--repeat", options.repeat, "Run the command N times; mean and spread")
      ->check(CLI::Range(1U, kMaxRepeats));
  run.add_option("--calibration", options.calibration,
                 "Estimate the decoded operations by FILE of bops calibrate, made for this build");
  run.add_flag("--strict", options.strict, "Exit with 125 if the count is anything but exact");
  run.add_flag("--require-pmu", options.require_pmu, "Refuse to run without hardware counters");
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
  add_emission_options(run, options.emission);
  run.footer(kFooter);
}

GpuChoice gpu_choice(const std::string& word) {
  if (word == "off") return GpuChoice::kOff;
  if (word == "meter") return GpuChoice::kMeter;
  return word == "profile" ? GpuChoice::kProfile : GpuChoice::kAuto;
}

/// The poorest of what the record has.
Quality quality_of(const RunCounts& counts) {
  Quality quality = counts.quality;
  for (const GpuDeviceCounts& gpu : counts.gpus) quality = poorer(quality, gpu.quality);
  return quality;
}

Result<RunRequest> request_of(const Options& options, const Invocation& invocation) {
  RunRequest request;
  request.command = invocation.command;
  if (request.command.empty())
    return failure("no command to run", "put it behind two dashes: bops run -- CMD [ARGS...]");
  for (char** variable = environ; *variable != nullptr; ++variable)
    request.environment.emplace_back(*variable);
  request.collector = options.reporting.collector;
  request.gpu = gpu_choice(options.gpu);
  request.tensor_operations = options.tensor_operations;
  if (request.tensor_operations && request.gpu != GpuChoice::kProfile)
    return failure("--tensor-operations takes several passes over each kernel",
                   "give --gpu profile with it");
  request.require_pmu = options.require_pmu;
  request.allow_uncounted = options.allow_uncounted;
  request.redact = options.reporting.redact;
  auto labels = labels_of(options.reporting);
  if (!labels) return tl::unexpected(labels.error());
  request.labels = *std::move(labels);
  request.with_kernel = options.reporting.with_kernel;
  if (options.vector == "same-run") request.vector = VectorCounting::kBeside;
  request.sample_period = options.sample_period;
  request.follow = !options.no_ptrace;
  request.control = options.control;
  for (const auto& [name, text, duration] :
       {std::tuple{"--interval", &options.reporting.interval, &request.interval},
        std::tuple{"--delay", &options.delay, &request.delay}}) {
    const auto parsed = duration_of(name, *text);
    if (!parsed) return tl::unexpected(parsed.error());
    if (*parsed) *duration = **parsed;
  }
  if (options.repeat > 1 && (request.interval.count() > 0 || !request.control.empty()))
    return failure("--repeat cannot be combined with --interval or --control",
                   "leave one of them out");
  if (options.emission.wanted() && (options.repeat > 1 || options.vector == "second-run"))
    return failure("--usage cannot be combined with --repeat or --vector=second-run",
                   "meter one run at a time");
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
  const auto text = read_file_whole(path, kLargestDocument);
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

int run(const Options& options, const Invocation& invocation) {
  const auto request = request_of(options, invocation);
  if (!request) return report_error(request.error());
  const auto calibration = calibration_for(*request, options.calibration);
  if (!calibration) return report_error(calibration.error());
  auto sink = ReportSink::open(options.reporting.output, options.reporting.format,
                               request->interval.count() > 0 || !request->control.empty());
  if (!sink) return report_error(sink.error());
  DecodedEstimator estimate;
  if (*calibration && options.emission.wanted()) {
    auto made = estimator_of(**calibration, options.calibration);
    if (!made) return report_error(made.error());
    estimate = *std::move(made);
  }
  const auto usage =
      open_usage_meter(options.emission, request->labels, options.strict, std::move(estimate));
  if (!usage) return report_error(usage.error());
  bool noticed = false;
  const RunListener listener{[&](const std::string& notice) {
                               if (!std::exchange(noticed, true))
                                 std::cerr << "bops: " << printable(notice) << std::endl;
                             },
                             [&](const IntervalRecord& interval) { sink->write(interval); }};
  auto runs = run_repeatedly(options.repeat, [&]() -> Result<FinishedRun> {
    return options.vector == "second-run"
               ? run_with_vector_runs(*request, invocation.collectors, listener)
               : run_session(*request, invocation.collectors, listener, usage->get());
  });
  if (!runs) return report_error(runs.error());
  FinishedRun* const finished = &runs->last;
  if (!runs->notice.empty()) std::cerr << "bops: " << runs->notice << std::endl;
  if (*calibration) apply_calibration(**calibration, options.calibration, finished->record);

  const RenderOptions render = render_options(options.reporting, sink->fd());
  const std::uint64_t begin_ns = mono_ns();
  if (const auto written = sink->write(finished->record, render); !written) {
    const int status = report_error(written.error());
    keep(*finished);
    return status;
  }
  spdlog::debug("the target took {} us, the report {} us", finished->record.wall_ns / 1000,
                (mono_ns() - begin_ns) / 1000);
  const Quality quality = quality_of(finished->record.counts);
  if (options.strict && quality != Quality::kExact)
    return report_error(
        {"the count is " + std::string(to_string(quality)) + ", and --strict asks for exact",
         "the report's warnings say why", FailureKind::kRefused});
  if (const int status = tell_usage(*finished); status != 0) return status;
  const ExitStatus exit = runs->exit;
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
