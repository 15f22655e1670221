#include "workloads/runner/run_kernel.hpp"

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace bops::workloads {
namespace {

/// Where threads wait for each other. Not std::latch, which spins before it sleeps, as often as the
/// scheduler pleases, and is counted while it does.
class Meeting {
 public:
  explicit Meeting(std::int64_t threads) {
    pthread_barrier_init(&barrier_, nullptr, static_cast<unsigned>(threads));
  }
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;
  ~Meeting() { pthread_barrier_destroy(&barrier_); }
  void wait() { pthread_barrier_wait(&barrier_); }

 private:
  pthread_barrier_t barrier_{};
};

bool run_instance(const Kernel& kernel, Style style, const Problem& problem, const Rounds& rounds,
                  const std::function<void()>& wait_for_others) {
  const std::unique_ptr<Instance> instance = kernel.make(style, problem);
  wait_for_others();
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
  if (threads == 1) return run_instance(kernel, style, problem, rounds, [] {});
  std::atomic<bool> all_right = true;
  // None ends before all have their data: an allocator gives the memory of a thread that has ended
  // to the next one, for less work, and what depends on who comes first would stand in the
  // difference of two runs as the kernel's.
  Meeting data_made(threads);
  std::vector<std::thread> workers;
  workers.reserve(static_cast<std::size_t>(threads));
  for (std::int64_t i = 0; i < threads; ++i)
    workers.emplace_back([&] {
      if (!run_instance(kernel, style, problem, rounds, [&] { data_made.wait(); }))
        all_right = false;
    });
  for (std::thread& worker : workers) worker.join();
  return all_right;
}

}  // namespace bops::workloads
