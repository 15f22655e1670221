// bops-workload run: becomes the measured program of the build asked for.
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <memory>
#include <system_error>

#include "workloads/program/builds.hpp"
#include "workloads/program/commands.hpp"
#include "workloads/program/problem_options.hpp"

namespace bops::workloads {
namespace {

struct RunOptions {
  ProblemOptions problem;
  std::int64_t idle_repeats = 0;
  std::string build = "gcc-reference";
};

std::vector<std::string> words_for(const RunOptions& options, const ChosenProblem& chosen) {
  const ProblemOptions& problem = options.problem;
  return {program_of_build(options.build),
          problem.kernel,
          "--size",
          std::to_string(chosen.problem.size),
          "--seed",
          std::to_string(problem.seed),
          "--distribution",
          problem.distribution,
          "--threads",
          std::to_string(problem.threads),
          "--repeat-kernel",
          std::to_string(problem.repeats),
          "--idle-repeats",
          std::to_string(options.idle_repeats)};
}

/// Returns only if it failed.
int become(std::vector<std::string> words) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  const int error = errno;
  std::cerr << "bops-workload: cannot execute " << words[0] << ": "
            << std::generic_category().message(error) << "; the builds present are:";
  for (const std::string& build : built_builds()) std::cerr << ' ' << build;
  std::cerr << '\n';
  return kRefused;
}

}  // namespace

void add_run_command(CLI::App& program, int& status) {
  CLI::App* const command = program.add_subcommand("run", "Run a kernel as it is measured");
  const auto options = std::make_shared<RunOptions>();
  add_problem_options(*command, options->problem);
  command
      ->add_option("--idle-repeats", options->idle_repeats,
                   "Rounds that restore the data and leave the kernel out")
      ->check(CLI::Range(0, 1'000'000'000))
      ->capture_default_str();
  command->add_option("--build", options->build, "Which build, see `bops-workload list`")
      ->capture_default_str();
  command->callback([options, &status] {
    const std::optional<ChosenProblem> chosen = choose_problem(options->problem);
    status = chosen ? become(words_for(*options, *chosen)) : kRefused;
  });
}

}  // namespace bops::workloads
