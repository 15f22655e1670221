// Runs a program of the build tree and keeps what it printed.
#pragma once

#include <string>
#include <vector>

namespace bops::workloads {

struct ProgramRun {
  int exit_code = -1;  ///< -1: it did not exit by itself, or could not be started
  std::string output;  ///< stdout and stderr
};

/// `program` is relative to the runtime folder of the build tree. Words hold no shell characters.
[[nodiscard]] ProgramRun run_program(const std::string& program, const std::string& words);

/// Path of the measured program of a build; empty if it was not built.
[[nodiscard]] std::string program_path(const std::string& build);

}  // namespace bops::workloads
