// PAPI's own code on the double: the component for perf_event, attached to another thread.
#include <gtest/gtest.h>
#include <papi.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <semaphore>
#include <thread>
#include <vector>

#include "tests/doubles/pmu/pmu_double.hpp"

namespace bops {
namespace {

constexpr std::array kEvents{"perf_raw::rc0", "perf_raw::r81d0", "perf_raw::r82d0",
                             "perf_raw::rc4"};

/// A thread that works when it is told to, and says its number.
class Worker {
 public:
  Worker()
      : thread_([this] {
          tid_ = ::gettid();
          started_.release();
          go_.acquire();
          for (int left = 3'000'000; left != 0; --left) __asm__ volatile("");
          done_.release();
          end_.acquire();
        }) {
    started_.acquire();
  }
  ~Worker() {
    end_.release();
    thread_.join();
  }
  [[nodiscard]] pid_t tid() const { return tid_; }
  void work() {
    go_.release();
    done_.acquire();
  }

 private:
  std::binary_semaphore started_{0}, go_{0}, done_{0}, end_{0};
  pid_t tid_ = 0;
  std::thread thread_;
};

const std::string kRules = std::string(PmuDouble::skylake_events()) +
                           "thread * instructions=1000*tid loads=100*tid stores=10*tid "
                           "branches=1*tid+3\n";

class Papi : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(PAPI_library_init(PAPI_VER_CURRENT), PAPI_VER_CURRENT);
    ASSERT_EQ(PAPI_thread_init([] { return static_cast<unsigned long>(::gettid()); }), PAPI_OK);
  }
  void TearDown() override { PAPI_shutdown(); }

  /// An EventSet of the four events, attached; PAPI's code of the first failure.
  static int attach(int* set, pid_t tid) {
    *set = PAPI_NULL;
    if (const int failed = PAPI_create_eventset(set); failed != PAPI_OK) return failed;
    if (const int failed = PAPI_assign_eventset_component(*set, 0); failed != PAPI_OK)
      return failed;
    if (const int failed = PAPI_attach(*set, static_cast<unsigned long>(tid)); failed != PAPI_OK)
      return failed;
    for (const char* event : kEvents)
      if (const int failed = PAPI_add_named_event(*set, event); failed != PAPI_OK) return failed;
    return PAPI_OK;
  }
  static void expect_counts_of(const std::array<long long, 4>& values, pid_t tid) {
    EXPECT_EQ(values[0], 1000LL * tid);
    EXPECT_EQ(values[1], 100LL * tid);
    EXPECT_EQ(values[2], 10LL * tid);
    EXPECT_EQ(values[3], 1LL * tid + 3);
  }

  PmuDouble pmu_{kRules};
};

TEST_F(Papi, counts_an_attached_thread) {
  Worker worker;
  int set = PAPI_NULL;
  ASSERT_EQ(attach(&set, worker.tid()), PAPI_OK);
  ASSERT_EQ(PAPI_start(set), PAPI_OK);
  worker.work();
  std::array<long long, 4> values{};
  ASSERT_EQ(PAPI_read(set, values.data()), PAPI_OK);
  expect_counts_of(values, worker.tid());
  values = {};
  ASSERT_EQ(PAPI_stop(set, values.data()), PAPI_OK);
  expect_counts_of(values, worker.tid());
  EXPECT_EQ(PAPI_cleanup_eventset(set), PAPI_OK);
  EXPECT_EQ(PAPI_destroy_eventset(&set), PAPI_OK);
}

TEST_F(Papi, counts_several_threads_at_once_and_after_their_end) {
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<int> sets;
  std::vector<pid_t> tids;
  for (int index = 0; index < 8; ++index) {
    workers.push_back(std::make_unique<Worker>());
    tids.push_back(workers.back()->tid());
    ASSERT_EQ(attach(&sets.emplace_back(), tids.back()), PAPI_OK);
    ASSERT_EQ(PAPI_start(sets.back()), PAPI_OK);
  }
  for (const auto& worker : workers) worker->work();
  workers.clear();
  for (std::size_t index = 0; index < sets.size(); ++index) {
    std::array<long long, 4> values{};
    ASSERT_EQ(PAPI_stop(sets[index], values.data()), PAPI_OK);
    expect_counts_of(values, tids[index]);
    EXPECT_EQ(PAPI_cleanup_eventset(sets[index]), PAPI_OK);
    EXPECT_EQ(PAPI_destroy_eventset(&sets[index]), PAPI_OK);
  }
}

TEST_F(Papi, says_that_there_is_no_such_event_where_there_is_no_pmu) {
  pmu_.change("error ENOENT");
  Worker worker;
  int set = PAPI_NULL;
  EXPECT_EQ(attach(&set, worker.tid()), PAPI_ENOEVNT);
  worker.work();
}

TEST_F(Papi, says_that_it_may_not_where_the_kernel_forbids) {
  pmu_.change("error EACCES");
  Worker worker;
  int set = PAPI_NULL;
  EXPECT_EQ(attach(&set, worker.tid()), PAPI_EPERM);
  worker.work();
}

}  // namespace
}  // namespace bops
