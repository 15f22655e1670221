// The metric sets against NVIDIA's own host library, for every chip that it knows.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "collectors/cuda/chip_report.hpp"
#include "collectors/cuda/metric_sets.hpp"

namespace bops::cuda {
namespace {

/// Older than what the Range Profiler serves (compute capability 7.5).
const std::vector<std::string> kTooOld{"GV100", "GV11B"};

class HostLibrary : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = HostMetrics::open();
    if (!opened) GTEST_SKIP() << opened.error().message;
    host_.emplace(*std::move(opened));
  }
  std::optional<HostMetrics> host_;
};

/// "CHIP SET PASSES" for every set of every chip, the modes' sums as sets of their own.
std::string table_of_passes(const HostMetrics& host) {
  std::ostringstream table;
  for (const std::string& chip : host.chips()) {
    if (family_of(chip) == nullptr) continue;
    const auto report = chip_report(host, chip);
    EXPECT_TRUE(report) << report.error().message << "; " << report.error().remedy;
    if (!report) continue;
    for (const GpuChipSet& row : report->sets)
      table << chip << ' ' << row.set.name << ' ' << row.set.passes << '\n';
    table << chip << " --gpu=meter " << report->meter_passes << '\n';
    table << chip << " --gpu=profile " << report->profile_passes << '\n';
  }
  return table.str();
}

TEST_F(HostLibrary, has_every_metric_of_every_set_in_as_many_passes_as_the_golden_table_says) {
  std::ifstream file(BOPS_FIXTURES "/passes.txt");
  std::uint32_t version = 0;
  std::string word, golden;
  file >> word >> version >> std::ws;
  ASSERT_EQ(word, "cupti");
  for (std::string line; std::getline(file, line);) golden += line + '\n';
  const std::string table = table_of_passes(*host_);
  if (host_->version() != version)
    GTEST_SKIP() << "the golden table is of CUPTI " << version << ", this one is "
                 << host_->version();
  EXPECT_EQ(table, golden);
}

TEST_F(HostLibrary, meters_every_chip_in_one_pass_and_profiles_it_in_two) {
  std::size_t chips = 0;
  for (const std::string& chip : host_->chips()) {
    if (family_of(chip) == nullptr) continue;
    const auto report = chip_report(*host_, chip);
    ASSERT_TRUE(report) << chip;
    EXPECT_EQ(report->meter_passes, 1U) << chip;
    EXPECT_LE(report->profile_passes, 2U) << chip;
    for (const GpuChipSet& row : report->sets)
      for (const MetricSet& set : family_of(chip)->sets) {
        if (set.description.name != row.set.name) continue;
        EXPECT_LE(row.set.passes, set.most_passes) << chip << ' ' << row.set.name;
      }
    ++chips;
  }
  EXPECT_GE(chips, 28U);
}

TEST_F(HostLibrary, knows_no_chip_since_turing_that_has_no_sets) {
  for (const std::string& chip : host_->chips()) {
    if (std::find(kTooOld.begin(), kTooOld.end(), chip) != kTooOld.end()) continue;
    EXPECT_NE(family_of(chip), nullptr) << chip;
  }
}

TEST_F(HostLibrary, has_every_metric_that_stands_for_one_of_nvprof) {
  for (const auto& [name, parts] : nvprof_names())
    for (const ChipFamily& family : chip_families()) {
      std::vector<std::string> metrics;
      for (const auto& part : parts) metrics.push_back(part.first);
      const auto passes = host_->passes(family.chips.front(), metrics);
      EXPECT_TRUE(passes) << name << ": " << passes.error().message;
    }
}

TEST_F(HostLibrary, names_the_metrics_that_a_chip_lacks) {
  const std::vector<std::string> metrics{"smsp__inst_executed.sum", "smsp__no_such_thing.sum"};
  const auto passes = host_->passes("GH100", metrics);
  ASSERT_FALSE(passes);
  EXPECT_NE(passes.error().message.find("lacks the metrics smsp__no_such_thing.sum:"),
            std::string::npos)
      << passes.error().message;
}

TEST_F(HostLibrary, refuses_a_chip_it_does_not_know_with_the_list_of_those_it_does) {
  const auto report = chip_report(*host_, "GX999");
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("does not know the chip GX999"), std::string::npos);
  for (const char* chip : {"TU102", "GA100", "AD102", "GH100", "GB202"})
    EXPECT_NE(report.error().remedy.find(chip), std::string::npos) << report.error().remedy;
  const auto old = chip_report(*host_, "GV100");
  ASSERT_FALSE(old) << "older than the Range Profiler";
  EXPECT_EQ(old.error().remedy.find("GV100"), std::string::npos);
}

TEST_F(HostLibrary, counts_the_meter_and_its_tensor_metric_in_no_more_passes_than_without) {
  for (const ChipFamily& family : chip_families()) {
    auto metrics = metric_names(sets_of(family, Mode::kMeter));
    const auto all = host_->passes(family.chips.front(), metrics);
    metrics.pop_back();
    EXPECT_EQ(*all, *host_->passes(family.chips.front(), metrics)) << family.name;
  }
}

}  // namespace
}  // namespace bops::cuda
