// bops-workload: the reference kernels for people and for `bops validate`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "workloads/program/commands.hpp"

namespace bops::workloads {
namespace {

int run_program(int argc, char** argv) {
  CLI::App program("Kernels with a known amount of work", "bops-workload");
  program.require_subcommand(1);
  int status = kRefused;
  add_list_command(program, status);
  add_run_command(program, status);
  add_count_command(program, status);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : kRefused;
  }
  return status;
}

}  // namespace
}  // namespace bops::workloads

int main(int argc, char** argv) {
  try {
    return bops::workloads::run_program(argc, argv);
  } catch (const std::exception& error) {  // out of memory for the size asked for, say
    std::fprintf(stderr, "bops-workload: %s; try a smaller --size\n", error.what());
    return bops::workloads::kRefused;
  }
}
