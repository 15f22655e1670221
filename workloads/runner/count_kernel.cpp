#include "workloads/runner/count_kernel.hpp"

#include <cstddef>
#include <thread>
#include <vector>

#include "workloads/counted.hpp"

namespace bops::workloads {
namespace {

CountOutcome count_instance(const Kernel& kernel, Style style, const Problem& problem,
                            std::int64_t repeats) {
  CountOutcome outcome;
  const std::unique_ptr<Instance> instance = kernel.make(style, problem);
  for (std::int64_t round = 0; round < repeats; ++round) {
    instance->restore();
    thread_tallies = Tallies{};
    instance->run();
    outcome.tallies += thread_tallies;
  }
  outcome.result_right = instance->check();
  return outcome;
}

}  // namespace

CountOutcome count_kernel(const Kernel& kernel, Style style, const Problem& problem,
                          std::int64_t threads, std::int64_t repeats) {
  std::vector<CountOutcome> outcomes(static_cast<std::size_t>(threads));
  std::vector<std::thread> workers;
  workers.reserve(outcomes.size());
  for (CountOutcome& outcome : outcomes)
    workers.emplace_back([&] { outcome = count_instance(kernel, style, problem, repeats); });
  for (std::thread& worker : workers) worker.join();

  CountOutcome sum;
  sum.result_right = true;
  for (const CountOutcome& outcome : outcomes) {
    sum.tallies += outcome.tallies;
    sum.result_right = sum.result_right && outcome.result_right;
  }
  if (kernel.expected != nullptr)
    sum.as_expected =
        sum.tallies ==
        kernel.expected(style, problem.size).times(static_cast<std::uint64_t>(threads * repeats));
  return sum;
}

}  // namespace bops::workloads
