// bops doctor: what can count on this machine, and what to do about the rest.
#include <unistd.h>

#include <iostream>
#include <memory>

#include "cli/cli.hpp"
#include "model/version.hpp"
#include "platform/host_identity.hpp"
#include "report/chip.hpp"
#include "report/doctor.hpp"

namespace bops {
namespace {

DoctorReport examine(Collectors collectors) {
  DoctorReport report;
  report.host = read_host_identity();
  report.tool_version = kVersion;
  const auto choice = choose_collector(collectors, "auto", false);
  for (Collector* collector : in_order_of_preference(collectors))
    report.collectors.push_back({collector->info(), collector->probe(),
                                 choice && choice->collector == collector, collector->limits()});
  return report;
}

int tell_of_chip(const std::string& chip, Collectors collectors, bool as_json) {
  for (const auto& collector : collectors) {
    if (!collector->counts_gpus()) continue;
    const auto report = collector->chip_report(chip);
    if (!report) return report_error(report.error());
    std::cout << (as_json ? render_chip_json(*report)
                          : render_chip_text(*report, use_colour("auto", STDOUT_FILENO)));
    return 0;
  }
  return report_error({"this build counts no GPUs", "", FailureKind::kRefused});
}

}  // namespace

void add_doctor_command(CLI::App& app, const Invocation& invocation) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand(
      "doctor", "Tell which collectors can run on this machine; if not, why, and what to do.");
  command->add_flag("--json", *as_json, "As JSON (schema bops.doctor.v1)");
  auto chip = std::make_shared<std::string>();
  command->add_option("--chip", *chip,
                      "Tell instead what would be measured on an NVIDIA GPU with that chip (GH100, "
                      "...); needs no GPU (schema bops.chip.v1)");
  command->footer(
      "Exit status: 0 if bops run would find a collector, 1 if not; with --chip, 125 if the chip "
      "is "
      "not known.");
  command->callback([as_json, chip, &invocation] {
    if (!chip->empty())
      throw CLI::RuntimeError(tell_of_chip(*chip, invocation.collectors, *as_json));
    const DoctorReport report = examine(invocation.collectors);
    std::cout << (*as_json ? render_doctor_json(report)
                           : render_doctor_text(report, use_colour("auto", STDOUT_FILENO)));
    bool usable = false;
    for (const DoctorEntry& entry : report.collectors) usable |= entry.chosen_by_auto;
    throw CLI::RuntimeError(usable ? 0 : 1);
  });
}

}  // namespace bops
