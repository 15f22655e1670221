// A measured program: bops-workload-<compiler>-<build> KERNEL [OPTION VALUE]...
#include <cstdio>
#include <span>

#include "workloads/kernel_table.hpp"
#include "workloads/problem.hpp"
#include "workloads/runner/arguments.hpp"
#include "workloads/runner/run_kernel.hpp"

int main(int argc, char** argv) {
  using namespace bops::workloads;
  const std::vector<Kernel> table = kernel_table();
  const std::span<char* const> words(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0));
  const Arguments arguments = parse_arguments(words, table);
  if (!arguments.error.empty()) {
    std::fprintf(stderr, "bops-workload: %s\n", arguments.error.c_str());
    return 2;
  }
  const Kernel& kernel = *arguments.kernel;
  // Each measured build holds one style.
  const bool pointers = kernel.make(Style::kPointer, {.size = kernel.minimum_size}) != nullptr;
  const Style style = pointers ? Style::kPointer : Style::kIndex;
  if (!run_kernel(kernel, style, arguments.problem, arguments.threads, arguments.rounds)) {
    std::fprintf(stderr, "bops-workload: the result of %s is wrong\n", kernel.name.data());
    return 1;
  }
  return 0;
}
