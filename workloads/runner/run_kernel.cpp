#include "workloads/runner/run_kernel.hpp"

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace bops::workloads {
namespace {

bool run_instance(const Kernel& kernel, Style style, const Problem& problem, const Rounds& rounds) {
  const std::unique_ptr<Instance> instance = kernel.make(style, problem);
  for (std::int64_t round = 0; round < rounds.idle_repeats; ++round) instance->restore();
  for (std::int64_t round = 0; round < rounds.repeats; ++round) {
    instance->restore();
    instance->run();
  }
  return instance->check();
}

}  // namespace

bool run_kernel(const Kernel& kernel, Style style, const Problem& problem, std::int64_t threads,
                const Rounds& rounds) {
  if (threads == 1) return run_instance(kernel, style, problem, rounds);
  std::atomic<bool> all_right = true;
  std::vector<std::thread> workers;
  workers.reserve(static_cast<std::size_t>(threads));
  for (std::int64_t i = 0; i < threads; ++i)
    workers.emplace_back([&] {
      if (!run_instance(kernel, style, problem, rounds)) all_right = false;
    });
  for (std::thread& worker : workers) worker.join();
  return all_right;
}

}  // namespace bops::workloads
