// The sub-commands of bops-workload. Each adds itself, its options and its help to the program.
#pragma once

#include <CLI/CLI.hpp>

namespace bops::workloads {

/// Exit statuses: 0 the result is right, 1 it is wrong, 2 the request was refused.
inline constexpr int kWrongResult = 1;
inline constexpr int kRefused = 2;

// `status` receives the exit status when the sub-command is the one called.
void add_list_command(CLI::App& program, int& status);
void add_run_command(CLI::App& program, int& status);
void add_count_command(CLI::App& program, int& status);

}  // namespace bops::workloads
