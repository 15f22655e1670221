// For tests that run on the PMU double: list it among their sources.
#include <gtest/gtest.h>

#include "tests/doubles/pmu/pmu_double.hpp"

int main(int argc, char** argv) {
  bops::run_with_pmu_double(argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
