// bops-workload count: runs the instrumented kernel and prints its tallies.
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "workloads/problem.hpp"
#include "workloads/program/commands.hpp"
#include "workloads/program/problem_options.hpp"
#include "workloads/runner/count_kernel.hpp"

namespace bops::workloads {
namespace {

struct CountOptions {
  ProblemOptions problem;
  std::string style = "pointer";
  bool json = false;
};

void print_json(const CountOptions& options, const ChosenProblem& chosen,
                const CountOutcome& outcome) {
  nlohmann::ordered_json tallies;
  for (std::size_t i = 0; i < kSourceRules.size(); ++i)
    tallies[std::string(kSourceRules[i].name)] = outcome.tallies.counts[i];
  const SourceOperations source = source_operations(outcome.tallies);
  nlohmann::ordered_json as_expected;  // null: there is no closed form to compare with
  if (chosen.kernel.expected != nullptr) as_expected = outcome.as_expected;
  const nlohmann::ordered_json document = {{"schema", "bops.workload_count.v1"},
                                           {"kernel", chosen.kernel.name},
                                           {"style", options.style},
                                           {"size", chosen.problem.size},
                                           {"size_unit", chosen.kernel.size_unit},
                                           {"seed", chosen.problem.seed},
                                           {"distribution", options.problem.distribution},
                                           {"threads", options.problem.threads},
                                           {"repeats", options.problem.repeats},
                                           {"tallies", tallies},
                                           {"source",
                                            {{"integer", source.integer},
                                             {"floating_point", source.floating_point},
                                             {"address", source.address},
                                             {"total", source.total()}}},
                                           {"result_right", outcome.result_right},
                                           {"as_closed_form", as_expected}};
  std::cout << document.dump(2) << '\n';
}

void print_row(std::string_view name, std::uint64_t count, std::string_view remark = {}) {
  std::cout << std::left << std::setw(22) << name << std::right << std::setw(20) << count << remark
            << '\n';
}

void print_text(const CountOutcome& outcome) {
  for (std::size_t i = 0; i < kSourceRules.size(); ++i)
    print_row(kSourceRules[i].name, outcome.tallies.counts[i],
              "  x " + std::to_string(kSourceRules[i].weight));
  const SourceOperations source = source_operations(outcome.tallies);
  std::cout << "\nsource BOPs\n";
  print_row("  integer", source.integer);
  print_row("  floating point", source.floating_point);
  print_row("  address", source.address);
  print_row("  total", source.total());
}

int count(const CountOptions& options) {
  const std::optional<ChosenProblem> chosen = choose_problem(options.problem);
  if (!chosen) return kRefused;
  const Style style = parse_style(options.style).value_or(Style::kPointer);
  const CountOutcome outcome = count_kernel(chosen->kernel, style, chosen->problem,
                                            options.problem.threads, options.problem.repeats);
  options.json ? print_json(options, *chosen, outcome) : print_text(outcome);
  if (!outcome.result_right)
    std::cerr << "bops-workload: the result of " << chosen->kernel.name << " is wrong\n";
  if (!outcome.as_expected)
    std::cerr << "bops-workload: the tallies of " << chosen->kernel.name
              << " differ from its closed form\n";
  return outcome.result_right && outcome.as_expected ? 0 : kWrongResult;
}

}  // namespace

void add_count_command(CLI::App& program, int& status) {
  CLI::App* const command =
      program.add_subcommand("count", "Count a kernel's operations as the source has them");
  const auto options = std::make_shared<CountOptions>();
  add_problem_options(*command, options->problem);
  command->add_option("--style", options->style, "How the kernel walks through its data")
      ->check(CLI::IsMember({"pointer", "index"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &status] { status = count(*options); });
}

}  // namespace bops::workloads
