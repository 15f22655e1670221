// bops attach: counts processes that run already.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/cli.hpp"
#include "cli/durations.hpp"
#include "cli/report_sink.hpp"
#include "cli/usage/emission_options.hpp"
#include "report/escape.hpp"
#include "session/attach_session.hpp"

namespace bops {
namespace {

constexpr const char* kDescription =
    "Count running processes with all their threads, and what they start meanwhile:\n"
    "bops attach [OPTIONS] -p PID[,PID...]";
constexpr const char* kFooter = R"(
Needs hardware counters, and the right to trace the processes (ptrace). They go on unharmed when
bops leaves them: after --duration, at Ctrl-C, or when bops itself is killed. The report goes to
stderr, or to the file of -o. Exit status: 0, or 125 if bops failed or refused.

Examples:
  bops attach -p 4711 --duration 10s
  bops attach --unit nginx --interval 1s -o load.json)";

struct Options {
  std::vector<pid_t> pids;
  std::string cgroup;
  std::string unit;
  std::string duration;
  std::string collector = "auto";
  std::string output;
  std::string format;
  std::string interval;
  std::string colour = "auto";
  std::vector<std::string> labels;
  bool per_thread = false;
  bool with_kernel = false;
  bool strict = false;
  EmissionOptions emission;
};

void add_options(CLI::App& attach, Options& options) {
  attach.add_option("-p,--pid", options.pids, "Processes to count, divided by commas")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->allow_extra_args(false);
  attach.add_option("--cgroup", options.cgroup,
                    "Every process of the cgroup PATH, those that join later included");
  attach.add_option("--unit", options.unit, "Every process of the systemd unit NAME");
  attach.add_option("--duration", options.duration, "Leave them after this time, e.g. 10s");
  attach.add_option("--collector", options.collector, "What counts: auto, pmu, papi or perf")
      ->capture_default_str();
  attach.add_option("-o,--output", options.output,
                    "Write the report to FILE (.txt .json .csv .md .html), - is stdout");
  attach.add_option("--format", options.format, "Format of the report, whatever FILE is called");
  attach.add_flag("--per-thread", options.per_thread, "Show every thread in the report");
  attach.add_option("--interval", options.interval,
                    "Write a JSON line of what was executed in each interval, e.g. 500ms");
  attach.add_option("--label", options.labels, "KEY=VALUE to keep in the record (repeatable)")
      ->allow_extra_args(false);
  attach.add_flag("--with-kernel", options.with_kernel,
                  "Count what the kernel executes for the processes as well");
  attach.add_option("--color", options.colour, "Colour the text report")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  attach.add_flag(
      "--strict", options.strict,
      "Write no usage record whose error is not known, and exit with 125 if there were any");
  add_emission_options(attach, options.emission);
  attach.footer(kFooter);
}

Result<std::optional<std::chrono::nanoseconds>> duration_of(const std::string& option,
                                                            const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto parsed = parse_duration(text);
  if (!parsed)
    return failure(option + " " + text + " is not a duration",
                   "write 500ms, 2s or 1m, for instance");
  return parsed;
}

Result<AttachRequest> request_of(const Options& options) {
  AttachRequest request;
  request.pids = options.pids;
  request.cgroup = options.cgroup;
  request.collector = options.collector;
  request.with_kernel = options.with_kernel;
  const int targets = (options.pids.empty() ? 0 : 1) + (options.cgroup.empty() ? 0 : 1) +
                      (options.unit.empty() ? 0 : 1);
  if (targets != 1)
    return failure("bops attach takes one of -p, --cgroup and --unit", "name what to count");
  if (!options.unit.empty()) {
    auto cgroup = cgroup_of_unit(options.unit);
    if (!cgroup) return tl::unexpected(cgroup.error());
    request.cgroup = *std::move(cgroup);
  }
  for (const std::string& label : options.labels) {
    const auto equals = label.find('=');
    if (equals == std::string::npos || equals == 0)
      return failure("--label " + label + " is not KEY=VALUE",
                     "write --label build=O3, for instance");
    request.labels[label.substr(0, equals)] = label.substr(equals + 1);
  }
  const auto duration = duration_of("--duration", options.duration);
  if (!duration) return tl::unexpected(duration.error());
  request.duration = *duration;
  const auto interval = duration_of("--interval", options.interval);
  if (!interval) return tl::unexpected(interval.error());
  if (*interval) request.interval = **interval;
  return request;
}

int attach(const Options& options, const Invocation& invocation) {
  const auto request = request_of(options);
  if (!request) return report_error(request.error());
  auto sink = ReportSink::open(options.output, options.format, request->interval.count() > 0);
  if (!sink) return report_error(sink.error());
  const RunListener listener{
      [](const std::string& notice) { std::cerr << "bops: " << printable(notice) << std::endl; },
      [&](const IntervalRecord& interval) { sink->write(interval); }};
  const auto usage = open_usage_meter(options.emission, request->labels, options.strict);
  if (!usage) return report_error(usage.error());
  Result<void> all_usage;
  const auto record =
      attach_session(*request, invocation.collectors, listener, usage->get(), &all_usage);
  if (!record) return report_error(record.error());
  const RenderOptions render{options.per_thread, use_colour(options.colour, sink->fd())};
  if (const auto written = sink->write(*record, render); !written)
    return report_error(written.error());
  return all_usage ? 0 : report_error(all_usage.error());
}

}  // namespace

void add_attach_command(CLI::App& app, const Invocation& invocation) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("attach", kDescription);
  add_options(*command, *options);
  command->callback(
      [options, &invocation] { throw CLI::RuntimeError(attach(*options, invocation)); });
}

}  // namespace bops
