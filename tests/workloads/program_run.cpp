#include "tests/workloads/program_run.hpp"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>

namespace bops::workloads {
namespace {

std::filesystem::path runtime_folder() {
  return BOPS_RUNTIME_DIR;
}

}  // namespace

ProgramRun run_program(const std::string& program, const std::string& words) {
  ProgramRun run;
  const std::string command = "'" + (runtime_folder() / program).string() + "' " + words + " 2>&1";
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return run;
  std::array<char, 4096> buffer{};
  while (const std::size_t bytes = std::fread(buffer.data(), 1, buffer.size(), pipe))
    run.output.append(buffer.data(), bytes);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) run.exit_code = WEXITSTATUS(status);
  return run;
}

std::string program_path(const std::string& build) {
  const std::filesystem::path path = runtime_folder() / "workloads" / ("bops-workload-" + build);
  return std::filesystem::exists(path) ? path.string() : std::string();
}

}  // namespace bops::workloads
