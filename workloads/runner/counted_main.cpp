// bops-workload-<compiler>-counted KERNEL [OPTION VALUE]...: prints a line per category. It lets
// the tests compare what two compilers' builds count.
#include <cinttypes>
#include <cstdio>
#include <span>

#include "workloads/kernel_table.hpp"
#include "workloads/runner/arguments.hpp"
#include "workloads/runner/count_kernel.hpp"

int main(int argc, char** argv) {
  using namespace bops::workloads;
  const std::vector<Kernel> table = kernel_table();
  const std::span<char* const> words(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0));
  const Arguments arguments = parse_arguments(words, table);
  if (!arguments.error.empty()) {
    std::fprintf(stderr, "bops-workload: %s\n", arguments.error.c_str());
    return 2;
  }
  const CountOutcome outcome = count_kernel(*arguments.kernel, arguments.style, arguments.problem,
                                            arguments.threads, arguments.rounds.repeats);
  for (std::size_t i = 0; i < kSourceRules.size(); ++i)
    std::printf("%s %" PRIu64 "\n", kSourceRules[i].name.data(), outcome.tallies.counts[i]);
  return outcome.result_right && outcome.as_expected ? 0 : 1;
}
