#include "workloads/program/problem_options.hpp"

#include <iostream>

#include "workloads/kernel_table.hpp"
#include "workloads/problem.hpp"

namespace bops::workloads {

void add_problem_options(CLI::App& command, ProblemOptions& options) {
  const std::vector<std::string> distributions(kDistributionNames.begin(),
                                               kDistributionNames.end());
  command.add_option("KERNEL", options.kernel, "Name of a kernel, see `bops-workload list`")
      ->required();
  command.add_option("--size", options.size, "Size, in the kernel's unit (default: the kernel's)");
  command.add_option("--seed", options.seed, "Seed of the input data")->capture_default_str();
  command.add_option("--distribution", options.distribution, "How sort and histogram keys spread")
      ->check(CLI::IsMember(distributions))
      ->capture_default_str();
  command
      .add_option("--threads", options.threads,
                  "Independent instances, each in a thread and with data of its own")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      .add_option("--repeat-kernel", options.repeats,
                  "Rounds of restoring the data and calling the kernel")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
}

std::optional<ChosenProblem> choose_problem(const ProblemOptions& options) {
  const std::vector<Kernel> table = kernel_table();
  const Kernel* const kernel = find_kernel(table, options.kernel);
  if (kernel == nullptr) {
    std::cerr << "bops-workload: " << unknown_kernel(table, options.kernel) << '\n';
    return std::nullopt;
  }
  Problem problem;
  problem.size = options.size.value_or(kernel->default_size);
  problem.seed = options.seed;
  problem.distribution = parse_distribution(options.distribution).value_or(Distribution::kUniform);
  const std::string why_not = refusal(*kernel, problem);
  if (!why_not.empty()) {
    std::cerr << "bops-workload: " << why_not << '\n';
    return std::nullopt;
  }
  return ChosenProblem{*kernel, problem};
}

}  // namespace bops::workloads
