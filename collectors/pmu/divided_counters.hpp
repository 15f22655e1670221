// Who counts which thread when both PAPI and perf can.
#pragma once

#include <memory>

#include "collectors/pmu/perf_counters.hpp"
#include "collectors/pmu/thread_counters.hpp"

namespace bops::pmu {

/// PAPI counts the first threads of a run: what it keeps of every thread that it ever saw makes
/// each further one dearer. perf counts the others, those that read their counters themselves, and
/// all if PAPI fails.
class DividedCounters final : public ThreadCounters {
 public:
  static constexpr std::uint32_t kPapiThreads = 256;

  DividedCounters(std::unique_ptr<ThreadCounters> papi, std::unique_ptr<PerfCounters> perf)
      : papi_(std::move(papi)), perf_(std::move(perf)) {}

  [[nodiscard]] Result<std::unique_ptr<OpenCounters>> open(pid_t tid, Start start) override {
    if (start != Start::kOnExec && opened_by_papi_ < kPapiThreads) {
      if (auto opened = papi_->open(tid, start)) {
        ++opened_by_papi_;
        return opened;
      }
      opened_by_papi_ = kPapiThreads;
    }
    return perf_->open(tid, start);
  }
  [[nodiscard]] Result<std::unique_ptr<OpenCounters>> open_shared(pid_t tid, Start start) override {
    return perf_->open(tid, start);
  }
  [[nodiscard]] bool starts_on_exec() const override { return false; }
  [[nodiscard]] bool reads_running_threads() const override {
    return papi_->reads_running_threads();
  }

 private:
  std::unique_ptr<ThreadCounters> papi_;
  std::unique_ptr<PerfCounters> perf_;
  std::uint32_t opened_by_papi_ = 0;
};

}  // namespace bops::pmu
