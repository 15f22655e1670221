#include "cli/reporting_options.hpp"

#include "cli/cli.hpp"
#include "cli/durations.hpp"

namespace bops {

void add_reporting_options(CLI::App& command, ReportingOptions& options) {
  command
      .add_option("--collector", options.collector,
                  "What counts: auto, or one that bops doctor lists")
      ->capture_default_str();
  command.add_option("-o,--output", options.output,
                     "Write the report to FILE (.txt .json .csv .md .html), - is stdout");
  command.add_option("--format", options.format, "Format of the report, whatever FILE is called");
  command.add_flag("--per-thread", options.per_thread, "Show every thread in the report");
  command.add_option("--interval", options.interval,
                     "Write a JSON line of what was executed in each interval, e.g. 500ms");
  command.add_option("--label", options.labels, "KEY=VALUE to keep in the record (repeatable)")
      ->allow_extra_args(false);
  command.add_flag("--redact", options.redact, "Leave the command's words out of every record");
  command.add_flag("--with-kernel", options.with_kernel,
                   "Count what the kernel executes for the command as well (hardware counters)");
  command.add_option("--color", options.colour, "Colour the text report")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
}

Result<std::map<std::string, std::string>> labels_of(const ReportingOptions& options) {
  std::map<std::string, std::string> labels;
  for (const std::string& label : options.labels) {
    const auto equals = label.find('=');
    if (equals == std::string::npos || equals == 0)
      return failure("--label " + label + " is not KEY=VALUE",
                     "write --label build=O3, for instance");
    labels[label.substr(0, equals)] = label.substr(equals + 1);
  }
  return labels;
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

RenderOptions render_options(const ReportingOptions& options, int fd) {
  return {options.per_thread, use_colour(options.colour, fd)};
}

}  // namespace bops
