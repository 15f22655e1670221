#include "validate/rules.hpp"

#include <gtest/gtest.h>

#include <set>

#include "platform/files.hpp"
#include "tests/validation/fake_bench.hpp"
#include "workloads/tallies.hpp"

namespace bops::validate {
namespace {

TEST(ShippedRules, weigh_as_the_kernels_do_and_name_every_category) {
  const Rules rules = shipped_rules();
  EXPECT_EQ(rules.weightings.front().name, "source");
  for (const Weighting& weighting : rules.weightings) {
    EXPECT_EQ(weighting.weights.size(), workloads::kSourceRules.size()) << weighting.name;
    EXPECT_FALSE(weighting.why.empty()) << weighting.name;
  }
  for (const auto& rule : workloads::kSourceRules)
    EXPECT_EQ(rules.weightings.front().weights.at(std::string(rule.name)), rule.weight);
}

TEST(ShippedRules, refer_only_to_builds_kernels_and_weightings_that_they_define) {
  const Rules rules = shipped_rules();
  std::set<std::string> kernels;
  for (const KernelRules& kernel : rules.kernels) {
    kernels.insert(kernel.name);
    EXPECT_EQ(kernel.growth.size(), 2U) << kernel.name;
  }
  for (const Profile* profile : {&rules.quick, &rules.full}) {
    for (const std::string& build : profile->calibrated_builds)
      EXPECT_NE(find_build(rules, build), nullptr) << build;
    for (const std::string& kernel : profile->calibrated_kernels)
      EXPECT_TRUE(kernels.contains(kernel)) << kernel;
  }
  for (const DecodedBuild& decoded : rules.decoded) {
    EXPECT_NE(find_build(rules, decoded.build), nullptr);
    EXPECT_TRUE(decoded.rules.empty() || find_weighting(rules, decoded.rules) != nullptr);
  }
  for (const PaperRow& row : rules.paper) {
    EXPECT_TRUE(kernels.contains(row.kernel));
    EXPECT_NE(find_weighting(rules, row.rules), nullptr);
    EXPECT_NE(find_build(rules, row.build), nullptr);
  }
}

TEST(ShippedRules, judge_sort_stream_and_matmul_and_repeat_seeds_in_full) {
  const Rules rules = shipped_rules();
  std::set<std::string> judged;
  for (const KernelRules& kernel : rules.kernels)
    if (kernel.judged) judged.insert(kernel.group);
  EXPECT_EQ(judged, (std::set<std::string>{"sort", "stream", "matmul"}));
  EXPECT_GE(rules.full.seeds.size(), 3U);
}

TEST(Rules, that_lack_a_field_or_are_no_json_are_refused_with_its_name) {
  const auto text = read_file_whole(BOPS_VALIDATION_RULES).value();
  std::string damaged = text;
  damaged.replace(damaged.find("\"growth\""), 8, "\"groth\"");
  const auto missing = read_rules(damaged, "rules.json");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("growth"), std::string::npos) << missing.error().message;
  EXPECT_FALSE(read_rules("{", "rules.json"));
  EXPECT_FALSE(read_rules("{\"schema\": \"other\"}", "rules.json"));
}

TEST(Weighing, is_refused_where_a_category_has_no_weight) {
  const auto weighting = read_weighting(R"({"name": "w", "weights": {"compare": 3}})", "w.json");
  ASSERT_TRUE(weighting);
  EXPECT_EQ(*weigh({{"compare", 5}}, *weighting), 15U);
  EXPECT_FALSE(weigh({{"compare", 5}, {"logic", 1}}, *weighting));
}

}  // namespace
}  // namespace bops::validate
