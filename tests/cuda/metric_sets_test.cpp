// What metric sets make of the values of their metrics.
#include "collectors/cuda/metric_sets.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "model/bops.hpp"

namespace bops::cuda {
namespace {

using Values = std::map<std::string, double>;

/// A value for each metric of the mode: 1000, 1001, ...
Values values_for(const ChipFamily& family, Mode mode) {
  Values values;
  double next = 1000;
  for (const std::string& name : metric_names(sets_of(family, mode))) values[name] = next++;
  return values;
}

TEST(MetricSets, say_of_every_family_what_its_formula_takes_for_loads_stores_and_branches) {
  ASSERT_GE(chip_families().size(), 11U);
  for (const ChipFamily& family : chip_families())
    for (const MetricSet& set : family.sets) {
      const GpuMetricSet& words = set.description;
      for (const std::string* text :
           {&words.title, &words.formula, &words.loads, &words.stores, &words.branches})
        EXPECT_FALSE(text->empty()) << family.name << ' ' << words.name;
    }
}

TEST(MetricSets, have_each_chip_in_one_family_only) {
  std::set<std::string> chips;
  for (const ChipFamily& family : chip_families())
    for (const std::string& chip : family.chips) EXPECT_TRUE(chips.insert(chip).second) << chip;
}

TEST(MetricSets, give_the_formula_at_both_levels_in_a_profile_and_at_one_in_the_meter) {
  for (const ChipFamily& family : chip_families()) {
    const GpuCounts profile =
        counts_of(sets_of(family, Mode::kProfile), values_for(family, Mode::kProfile));
    ASSERT_TRUE(profile.warp) << family.name;
    ASSERT_TRUE(profile.thread) << family.name;
    EXPECT_EQ(profile.warp->loads_and_stores, *profile.warp->loads + *profile.warp->stores);
    EXPECT_TRUE(profile.duration_ns);
    EXPECT_TRUE(profile.operations.contains("fp32") && profile.operations.contains("integer"));
    const GpuCounts meter =
        counts_of(sets_of(family, Mode::kMeter), values_for(family, Mode::kMeter));
    ASSERT_TRUE(meter.warp) << family.name;
    EXPECT_FALSE(meter.warp->loads) << "the meter cannot tell loads from stores";
    EXPECT_EQ(bops_formula(*meter.warp), 1000 - 1001 - 1002);
    EXPECT_FALSE(meter.thread);
    EXPECT_EQ(meter.tensor_instructions.at("hmma"), 1003U);
  }
}

TEST(MetricSets, add_the_stores_of_both_metrics_and_weigh_an_fma_twice) {
  const ChipFamily& hopper = *family_of("GH100");
  Values values = values_for(hopper, Mode::kProfile);
  values["smsp__sass_inst_executed_op_st.sum"] = 30;
  values["smsp__sass_inst_executed_op_shared_st.sum"] = 4;
  values["smsp__sass_thread_inst_executed_op_fadd_pred_on.sum"] = 100;
  values["smsp__sass_thread_inst_executed_op_fmul_pred_on.sum"] = 10;
  values["smsp__sass_thread_inst_executed_op_ffma_pred_on.sum"] = 1000;
  values["smsp__inst_executed_pipe_tensor.sum"] = 50;
  values["smsp__inst_executed_pipe_tensor_op_hmma_type_hfma2.sum"] = 8;
  const GpuCounts counts = counts_of(sets_of(hopper, Mode::kProfile), values);
  EXPECT_EQ(counts.warp->stores, 34U);
  EXPECT_EQ(counts.operations.at("fp32"), 2110U);
  EXPECT_EQ(counts.tensor_instructions.at("tensor_pipe"), 42U) << "HFMA2 is no tensor work";
}

TEST(MetricSets, leave_out_what_a_missing_or_impossible_value_would_be_part_of) {
  const ChipFamily& hopper = *family_of("GH100");
  const auto sets = sets_of(hopper, Mode::kProfile);
  Values values = values_for(hopper, Mode::kProfile);
  values.erase("smsp__sass_inst_executed_op_shared_st.sum");
  values["smsp__sass_thread_inst_executed_op_fadd_pred_on.sum"] = std::nan("");
  values["smsp__sass_thread_inst_executed_op_control_pred_on.sum"] = -1;
  const GpuCounts counts = counts_of(sets, values);
  EXPECT_FALSE(counts.warp) << "stores without STS are not the stores";
  EXPECT_FALSE(counts.thread);
  EXPECT_FALSE(counts.operations.contains("fp32"));
  EXPECT_TRUE(counts.operations.contains("fp64"));
  GpuCounts sum = counts_of(sets, values_for(hopper, Mode::kProfile));
  sum += counts;
  EXPECT_FALSE(sum.warp) << "a sum over a launch that lacks it";
  EXPECT_FALSE(sum.operations.contains("fp32"));
}

TEST(MetricSets, are_refused_with_the_place_of_what_is_wrong) {
  const std::string good(embedded_metric_sets().front().json);
  ASSERT_TRUE(read_chip_family("good", good));
  const auto with = [&good](const std::string& old, const std::string& replacement) {
    std::string text = good;
    text.replace(text.find(old), old.size(), replacement);
    return read_chip_family("bad", text);
  };
  EXPECT_NE(with("warp_branches", "warp_twigs").error().message.find("no role warp_twigs"),
            std::string::npos);
  EXPECT_NE(with("\"range\": \"user\"", "\"range\": \"any\"").error().message.find("any"),
            std::string::npos);
  EXPECT_NE(with("\"formula\"", "\"formul\"").error().message.find("formula"), std::string::npos);
  EXPECT_FALSE(with("\"each\": 2", "\"each\": 0"));
  EXPECT_FALSE(with("\"name\": \"rich\"", "\"name\": \"warp\""));
  EXPECT_FALSE(read_chip_family("bad", good.substr(0, good.size() / 2)));
}

}  // namespace
}  // namespace bops::cuda
