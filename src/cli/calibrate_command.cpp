// bops calibrate: how many decoded operations a build executes for each formula BOP.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/cli.hpp"
#include "cli/command_lines.hpp"
#include "cli/report_sink.hpp"
#include "launch/command.hpp"
#include "launch/interpreter.hpp"
#include "model/version.hpp"
#include "platform/clock.hpp"
#include "platform/elf_file.hpp"
#include "platform/files.hpp"
#include "platform/host_identity.hpp"
#include "report/escape.hpp"
#include "report/number_text.hpp"
#include "session/run_session.hpp"
#include "validate/calibration.hpp"

namespace bops {
namespace {

constexpr const char* kDescription =
    "Measure how many decoded operations a program executes for each formula BOP:\n"
    "bops calibrate [OPTIONS] -- CMD [ARGS...]";
constexpr const char* kFooter = R"(
Runs the command several times, under an exact engine and under the collector that bops run would
take. Then bops run --calibration FILE estimates the decoded operations of other runs of the same
build, with the error that the calibration states for runs of up to 256 times the work.

One command shows nothing of other inputs: the error stated is then wide. Put command lines for two
or more inputs of growing size (each about four times the one before) into a file for --vary.

Examples:
  bops calibrate -o xz.json -- xz -kc SMALL
  bops calibrate -o xz.json --vary MORE_COMMANDS -- xz -kc SMALL
  bops run --calibration xz.json -- xz -kc LARGE)";

constexpr std::uint32_t kMostRuns = 1000;
constexpr std::array<const char*, 2> kExactEngines = {"native", "qemu"};
constexpr std::chrono::milliseconds kCourseStep{2};  // of the exact runs of a single input
constexpr mode_t kFileMode = 0600;                   // it tells what a user runs

struct Options {
  std::string collector = "auto";
  std::string output;
  std::string vary;
  std::uint32_t runs = kFewestCalibrationRuns;
  bool redact = false;
};

/// What is run, and by what.
struct Plan {
  std::vector<std::vector<std::string>> commands;
  std::string exact;
  std::string production;
  CodeImage executable;
};

std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  return variables;
}

Result<std::string> choose_exact(Collectors collectors) {
  for (const char* name : kExactEngines)
    if (choose_collector(collectors, name, false)) return std::string(name);
  return failure("no exact engine can run here, and only they decode operations",
                 "bops doctor tells what each of them needs");
}

Result<CodeImage> executable_of(const std::vector<std::string>& command) {
  const auto plan = resolve_command(command, environment());
  if (!plan) return tl::unexpected(plan.error());
  CodeImage image{program_behind(plan->executable), ""};
  image.build_id = elf_build_id(image.path);
  if (image.build_id.empty())
    return failure(image.path + " has no build-id, so that its builds cannot be told apart",
                   "link it with -Wl,--build-id");
  return image;
}

Result<Plan> plan_of(const Options& options, const Invocation& invocation) {
  Plan plan;
  if (invocation.command.empty())
    return failure("no command to calibrate",
                   "put it behind two dashes: bops calibrate -- CMD [ARGS...]");
  plan.commands.push_back(invocation.command);
  if (!options.vary.empty()) {
    const auto text = read_file_whole(options.vary, kLargestDocument);
    if (!text) return tl::unexpected(text.error());
    auto more = split_commands(*text);
    if (!more) return failure(options.vary + ": " + more.error().message, more.error().remedy);
    for (auto& command : *more) plan.commands.push_back(std::move(command));
  }
  auto exact = choose_exact(invocation.collectors);
  if (!exact) return tl::unexpected(exact.error());
  plan.exact = *std::move(exact);
  const auto production = choose_collector(invocation.collectors, options.collector, false);
  if (!production) return tl::unexpected(production.error());
  plan.production = production->collector->info().name;
  for (const auto& command : plan.commands) {
    auto executable = executable_of(command);
    if (!executable) return tl::unexpected(executable.error());
    if (&command != &plan.commands.front() && *executable != plan.executable)
      return failure("one of the commands runs " + executable->path + ", the first one " +
                         plan.executable.path,
                     "calibrate each program by itself");
    plan.executable = *std::move(executable);
  }
  return plan;
}

/// One run, whose intervals go to `course` if it is wanted. Only runs that succeed and are counted
/// in full say anything about others.
Result<RunRecord> count(const std::vector<std::string>& command, const std::string& collector,
                        Collectors collectors, std::vector<Counts>* course) {
  RunRequest request;
  request.command = command;
  request.environment = environment();
  request.collector = collector;
  if (course != nullptr) request.interval = kCourseStep;
  const RunListener listener{[](const std::string&) {},
                             [course](const IntervalRecord& interval) {
                               if (course != nullptr) course->push_back(interval.totals);
                             }};
  auto run = run_session(request, collectors, listener);
  if (!run) return tl::unexpected(run.error());
  if (run->record.exit.code != 0)
    return failure("the command failed, so that it was not calibrated",
                   "calibrate a run that succeeds (exit status 0)");
  const Quality quality = run->record.counts.quality;
  if (quality == Quality::kPartial || quality == Quality::kMissing)
    return failure("the count of " + collector + " is " + std::string(to_string(quality)),
                   "bops run --collector " + collector + " tells why");
  return std::move(run->record);
}

Result<CalibrationInput> measure(const std::vector<std::string>& command, const Plan& plan,
                                 std::uint32_t runs, Collectors collectors,
                                 std::vector<CodeImage>& libraries) {
  CalibrationInput input;
  const bool needs_course = plan.commands.size() == 1;
  for (std::uint32_t run = 0; run < runs; ++run) {
    std::vector<Counts> course;
    const auto exact = count(command, plan.exact, collectors, needs_course ? &course : nullptr);
    if (!exact) return tl::unexpected(exact.error());
    for (CodeImage& library : library_images(exact->counts, plan.executable.path))
      if (std::find(libraries.begin(), libraries.end(), library) == libraries.end())
        libraries.push_back(std::move(library));
    const Counts counts = exact->counts.totals();
    InstructionCounts production = counts.instructions;
    if (plan.production != plan.exact) {
      const auto counted = count(command, plan.production, collectors, nullptr);
      if (!counted) return tl::unexpected(counted.error());
      production = counted->counts.totals().instructions;
    }
    input.runs.push_back({counts, production, std::move(course)});
  }
  return input;
}

Result<Calibration> measure_all(const Options& options, const Plan& plan, Collectors collectors) {
  Calibration calibration;
  calibration.tool_version = kVersion;
  calibration.created = rfc3339_utc(std::chrono::system_clock::now());
  calibration.cpu = read_host_identity().cpu;
  if (!options.redact) calibration.command = plan.commands.front();
  calibration.executable = plan.executable;
  calibration.exact_collector = plan.exact;
  calibration.production_collector = plan.production;
  calibration.runs = options.runs;
  std::vector<CalibrationInput> inputs;
  for (const auto& command : plan.commands) {
    auto input = measure(command, plan, options.runs, collectors, calibration.libraries);
    if (!input) return tl::unexpected(input.error());
    inputs.push_back(*std::move(input));
  }
  auto fit = fit_calibration(inputs);
  if (!fit) return tl::unexpected(fit.error());
  calibration.fit = *std::move(fit);
  return calibration;
}

void tell(const Calibration& calibration, const std::string& path) {
  const CalibrationFit& fit = calibration.fit;
  std::cerr << "bops: " << printable(calibration.executable.path) << ": "
            << grouped_rounded(1000 * fit.ratio)
            << " decoded operations for 1,000 more formula BOPs, +- "
            << percent(fit.residual.total(), 1) << "\n      for runs of "
            << grouped(fit.formula_from) << " to " << grouped(fit.formula_to)
            << " formula BOPs; written to " << printable(path) << '\n';
  if (fit.inputs.size() < 3)
    std::cerr << "      of which " << percent(fit.residual.allowance, 1)
              << " is an allowance for inputs that were not seen: name more, of growing size, with "
                 "--vary\n";
  if (calibration.production_collector == calibration.exact_collector)
    std::cerr << "      counted by " << calibration.exact_collector
              << " alone: hardware counters may count other totals\n";
}

int calibrate(const Options& options, const Invocation& invocation) {
  const auto plan = plan_of(options, invocation);
  if (!plan) return report_error(plan.error());
  const std::string path =
      !options.output.empty()
          ? options.output
          : std::filesystem::path(plan->executable.path).filename().string() + ".calibration.json";
  // Before anything runs: may the file be written?
  if (const auto sink = ReportSink::open(path, "json", false); !sink)
    return report_error(sink.error());
  const auto calibration = measure_all(options, *plan, invocation.collectors);
  if (!calibration) return report_error(calibration.error());
  if (auto written = write_file_whole(path, render_json(*calibration), kFileMode); !written)
    return report_error(written.error());
  tell(*calibration, path);
  return 0;
}

}  // namespace

void add_calibrate_command(CLI::App& app, const Invocation& invocation) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("calibrate", kDescription);
  command
      ->add_option("--collector", options->collector,
                   "What will count the runs to be calibrated: auto, or one that bops doctor lists")
      ->capture_default_str();
  command->add_option("-o,--output", options->output,
                      "Write the calibration to FILE; without it, to PROGRAM.calibration.json");
  command->add_option("--runs", options->runs, "Count each input N times")
      ->check(CLI::Range(kFewestCalibrationRuns, kMostRuns))
      ->capture_default_str();
  command->add_option("--vary", options->vary,
                      "Calibrate over the commands in FILE, too: one on each line");
  command->add_flag("--redact", options->redact, "Leave the command's words out of the file");
  command->footer(kFooter);
  command->callback(
      [options, &invocation] { throw CLI::RuntimeError(calibrate(*options, invocation)); });
}

}  // namespace bops
