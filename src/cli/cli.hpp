// The command line: one file per sub-command, its help beside it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "session/collector_choice.hpp"

namespace bops {

/// What a sub-command is given.
struct Invocation {
  Collectors collectors;
  std::vector<std::string> command;  ///< the words after "--"
};

/// Runs bops; the exit status of the program. Does not return where the target died by a signal.
[[nodiscard]] int run_cli(int argc, char** argv, Collectors collectors);

// Each adds its sub-command, whose callback throws CLI::RuntimeError with the exit status.
void add_run_command(CLI::App& app, const Invocation& invocation);
void add_attach_command(CLI::App& app, const Invocation& invocation);
void add_doctor_command(CLI::App& app, const Invocation& invocation);
void add_recover_command(CLI::App& app, const Invocation& invocation);
void add_report_command(CLI::App& app, const Invocation& invocation);
void add_calibrate_command(CLI::App& app, const Invocation& invocation);
void add_validate_command(CLI::App& app, const Invocation& invocation);
void add_usage_command(CLI::App& app, const Invocation& invocation);

/// Prints "bops: MESSAGE" and the remedy to stderr; the exit status of that kind of failure.
int report_error(const Error& error);

/// For an option that takes a whole number above 0.
[[nodiscard]] CLI::Validator positive_number();

/// `--color`: whether to colour what goes to the descriptor. NO_COLOR (no-color.org) turns it off.
[[nodiscard]] bool use_colour(const std::string& choice, int fd);

}  // namespace bops
