// bops attach: counts processes that run already.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/cli.hpp"
#include "cli/kept_run.hpp"
#include "cli/report_sink.hpp"
#include "cli/reporting_options.hpp"
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
  ReportingOptions reporting;
  std::vector<pid_t> pids;
  std::string cgroup;
  std::string unit;
  std::string duration;
  bool strict = false;
  EmissionOptions emission;
};

void add_options(CLI::App& attach, Options& options) {
  attach.add_option("-p,--pid", options.pids, "Processes to count, divided by commas")
      ->delimiter(',')
      ->check(positive_number())
      ->allow_extra_args(false);
  attach.add_option("--cgroup", options.cgroup,
                    "Every process of the cgroup PATH, those that join later included");
  attach.add_option("--unit", options.unit, "Every process of the systemd unit NAME");
  attach.add_option("--duration", options.duration, "Leave them after this time, e.g. 10s");
  add_reporting_options(attach, options.reporting);
  attach.add_flag(
      "--strict", options.strict,
      "Write no usage record whose error is not known, and exit with 125 if there were any");
  add_emission_options(attach, options.emission);
  attach.footer(kFooter);
}

Result<AttachRequest> request_of(const Options& options) {
  AttachRequest request;
  request.pids = options.pids;
  request.cgroup = options.cgroup;
  request.collector = options.reporting.collector;
  request.with_kernel = options.reporting.with_kernel;
  request.redact = options.reporting.redact;
  const int targets = (options.pids.empty() ? 0 : 1) + (options.cgroup.empty() ? 0 : 1) +
                      (options.unit.empty() ? 0 : 1);
  if (targets != 1)
    return failure("bops attach takes one of -p, --cgroup and --unit", "name what to count");
  if (!options.unit.empty()) {
    auto cgroup = cgroup_of_unit(options.unit);
    if (!cgroup) return tl::unexpected(cgroup.error());
    request.cgroup = *std::move(cgroup);
  }
  auto labels = labels_of(options.reporting);
  if (!labels) return tl::unexpected(labels.error());
  request.labels = *std::move(labels);
  const auto duration = duration_of("--duration", options.duration);
  if (!duration) return tl::unexpected(duration.error());
  request.duration = *duration;
  const auto interval = duration_of("--interval", options.reporting.interval);
  if (!interval) return tl::unexpected(interval.error());
  if (*interval) request.interval = **interval;
  return request;
}

int attach(const Options& options, const Invocation& invocation) {
  const auto request = request_of(options);
  if (!request) return report_error(request.error());
  auto sink = ReportSink::open(options.reporting.output, options.reporting.format,
                               request->interval.count() > 0);
  if (!sink) return report_error(sink.error());
  const RunListener listener{
      [](const std::string& notice) { std::cerr << "bops: " << printable(notice) << std::endl; },
      [&](const IntervalRecord& interval) { sink->write(interval); }};
  const auto usage = open_usage_meter(options.emission, request->labels, options.strict);
  if (!usage) return report_error(usage.error());
  auto finished = attach_session(*request, invocation.collectors, listener, usage->get());
  if (!finished) return report_error(finished.error());
  if (const auto written =
          sink->write(finished->record, render_options(options.reporting, sink->fd()));
      !written) {
    const int status = report_error(written.error());
    keep(*finished);
    return status;
  }
  return tell_usage(*finished);
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
