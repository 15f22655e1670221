// Tests of bops as a program, on the PMU double.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "tests/doubles/pmu/event_rules.hpp"
#include "tests/doubles/pmu/pmu_double.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops {

/// Counts of every thread grow with the time that it runs. Skips on CPUs whose events the double
/// cannot be told of; who overrides SetUp() looks at IsSkipped() after calling this one.
class OnPmuDouble : public ::testing::Test {
 protected:
  static constexpr const char* kGrowing =
      "thread * instructions=1000/us loads=100/us stores=50/us branches=200/us cycles=2000/us\n";

  void SetUp() override {
    const auto sets = pmu::event_sets_for(pmu::this_machine());
    if (!sets) GTEST_SKIP() << "no event table for this CPU: " << sets.error().message;
    if (sets->size() > 1) GTEST_SKIP() << "a hybrid CPU, for which these rules do not serve";
    events_ = sets->front();
    pmu_.emplace(event_rules(events_) + kGrowing);
    variables_ = pmu_->environment();
    variables_["BOPS_STATE_DIR"] = state_.path();
  }

  pmu::EventSet events_;
  std::optional<PmuDouble> pmu_;
  std::map<std::string, std::string> variables_;  ///< for bops
  harness::TemporaryDirectory state_;
};

}  // namespace bops
