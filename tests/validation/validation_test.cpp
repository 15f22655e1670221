#include "validate/validation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/validation/fake_bench.hpp"
#include "validate/claims.hpp"
#include "validate/describe.hpp"

namespace bops::validate {
namespace {

Validation validated(const FakeBench& fake, Choices choices = {}) {
  const Rules rules = shipped_rules();
  choices.quick = true;
  choices.weighting = rules.weightings.front();
  return validate(rules, choices, fake.bench(rules)).value();
}

Judgement judgement(const Validation& validation, const std::string& claim) {
  return find_verdict(validation.verdicts, claim)->judgement;
}

std::string offenders(const Validation& validation, const std::string& claim) {
  std::string all;
  for (const std::string& offender : find_verdict(validation.verdicts, claim)->offenders)
    all += offender + "\n";
  return all;
}

TEST(Validation, of_programs_that_do_what_their_source_says_holds_every_claim) {
  const Validation validation = validated({});
  for (const Claim& claim : kClaims)
    EXPECT_EQ(judgement(validation, std::string(claim.name)), Judgement::kHolds) << claim.name;
  EXPECT_EQ(validation.rows.size(), 13U * 7U);
  for (const Row& row : validation.rows) EXPECT_EQ(row.error.mean, 0.0) << row.kernel;
}

TEST(Validation, finds_a_planted_miscount_of_the_instrumented_kernel) {
  FakeBench fake;
  fake.source_factor = [](const std::string& kernel) {
    return kernel == "quicksort_hoare" ? 0.9 : 1.0;
  };
  const Validation validation = validated(fake);
  EXPECT_EQ(judgement(validation, "reference"), Judgement::kFails);
  EXPECT_EQ(judgement(validation, "decoded"), Judgement::kFails);
  EXPECT_EQ(offenders(validation, "reference"), "quicksort_hoare gcc-reference +11.1 %\n");
}

TEST(Validation, finds_a_declared_closed_form_that_is_wrong) {
  FakeBench fake;
  fake.not_as_closed_form = "stream";
  const Validation validation = validated(fake);
  EXPECT_EQ(judgement(validation, "reference"), Judgement::kFails);
  EXPECT_NE(offenders(validation, "reference").find("stream gcc-reference: "), std::string::npos);
}

TEST(Validation, finds_a_measured_kernel_whose_result_is_wrong) {
  FakeBench fake;
  fake.wrong_result = "gcc-reference";
  EXPECT_EQ(judgement(validated(fake), "reference"), Judgement::kFails);
  fake.wrong_result = "gcc-O2";
  EXPECT_EQ(judgement(validated(fake), "reference"), Judgement::kHolds);
  EXPECT_EQ(judgement(validated(fake), "anywhere"), Judgement::kFails);
}

TEST(Validation, does_not_judge_a_build_that_cannot_run_here) {
  FakeBench fake;
  fake.killed_build = "gcc-O3-v3";
  const Validation validation = validated(fake);
  EXPECT_EQ(judgement(validation, "reference"), Judgement::kHolds);
  EXPECT_EQ(judgement(validation, "anywhere"), Judgement::kNotMeasured);
  const auto row =
      std::find_if(validation.rows.begin(), validation.rows.end(),
                   [](const Row& candidate) { return candidate.build == "gcc-O3-v3"; });
  EXPECT_EQ(row->missing, "it was killed by signal 4");
}

TEST(Validation, calibrates_away_what_is_the_same_for_all_inputs_and_nothing_else) {
  FakeBench fake;
  fake.formula_factor = [](const auto&, const std::string& build) {
    return build == "gcc-O2" ? 0.4 : 1.0;
  };
  const Validation validation = validated(fake);
  EXPECT_EQ(judgement(validation, "anywhere"), Judgement::kFails);
  EXPECT_EQ(judgement(validation, "calibrated"), Judgement::kHolds);
  for (const CalibrationRow& row : validation.calibrations) {
    EXPECT_NEAR(row.drift, 0, 1e-9) << row.kernel << ' ' << row.input;
    EXPECT_NEAR(row.factor, row.build == "gcc-O2" ? 2.5 : 1.0, 1e-9);
  }
}

TEST(Validation, finds_a_factor_that_does_not_carry_over_to_an_input_of_the_same_mix) {
  FakeBench fake;
  fake.skewed_formula = 1.1;
  const Validation silent = validated(fake);
  EXPECT_EQ(judgement(silent, "calibrated"), Judgement::kFails);
  EXPECT_NE(offenders(silent, "calibrated").find("quicksort_hoare gcc-O2 sorted +10.0 %"),
            std::string::npos)
      << offenders(silent, "calibrated");
  fake.skewed_loads = 3.3;  // 77 instead of 75 % of the instructions
  const Validation warned = validated(fake);
  EXPECT_EQ(judgement(warned, "calibrated"), Judgement::kHolds);
  std::uint64_t skewed = 0;
  for (const CalibrationRow& row : warned.calibrations)
    if (row.skewed) {
      ++skewed;
      EXPECT_FALSE(row.judged()) << row.kernel << ' ' << row.input;
    }
  EXPECT_EQ(find_verdict(warned.verdicts, "calibrated")->warned, skewed);
  EXPECT_GT(skewed, 0U);
}

TEST(Validation, judges_decoded_operations_of_every_kernel_but_those_that_depart_with_the_reason) {
  std::vector<std::string> departing;
  for (const DecodedRow& decoded : validated({}).decoded) {
    EXPECT_FALSE(decoded.why.empty());
    if (decoded.row.kernel == "matmul" && !decoded.row.judged) {
      departing.push_back(decoded.row.build);
      EXPECT_NE(decoded.why.find("compound assignment"), std::string::npos);
    }
    if (decoded.row.kernel == "stream") {
      EXPECT_TRUE(decoded.row.judged) << decoded.row.build;
    }
  }
  EXPECT_EQ(departing, (std::vector<std::string>{"gcc-O0", "clang-O0"}))
      << "the reference build is in pointer style";
}

TEST(Validation, splits_the_error_of_a_collector_that_miscounts_from_that_of_the_model) {
  FakeBench fake;
  fake.counts_exactly = false;
  fake.counter_factor = 0.99;  // loads, three times the formula: +3 percent
  fake.formula_factor = [](const auto&, const auto&) { return 1.02; };
  const Validation validation = validated(fake);
  for (const Row& row : validation.rows) {
    EXPECT_NEAR(*row.model_error, 0.02, 1e-4);
    EXPECT_NEAR(*row.counter_error, 0.0306, 1e-4);
    EXPECT_NEAR(row.error.mean, *row.model_error + *row.counter_error, 1e-12);
    EXPECT_NEAR(*row.largest_count_error, 0.01, 1e-4);
    EXPECT_LE(std::abs(*row.counter_error), *row.amplification * 0.01 * 1.02 + 1e-4);
  }
}

TEST(Validation, isolates_the_kernel_from_set_up_over_several_rounds) {
  FakeBench fake;
  fake.counts_exactly = false;  // more rounds
  const Rules rules = shipped_rules();
  ASSERT_GT(rules.rounds_inexact, 1U);
  for (const Row& row : validated(fake).rows) {
    const auto size = static_cast<std::uint64_t>(row.size);
    EXPECT_EQ(row.source, 100U * size * rules.rounds_inexact) << row.kernel;
    // The set-up of each run is the same but for a round's: none of it is left.
    EXPECT_EQ(row.exact->total, 4 * row.source) << row.kernel;
  }
}

TEST(Validation, refuses_unknown_kernels_and_a_place_without_programs) {
  const Rules rules = shipped_rules();
  Choices choices;
  choices.weighting = rules.weightings.front();
  choices.kernels = {"bubble_sort"};
  const auto unknown = validate(rules, choices, FakeBench{}.bench(rules));
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().remedy.find("quicksort_hole"), std::string::npos);
  choices.kernels = {};
  Bench empty = FakeBench{}.bench(rules);
  empty.built = {};
  EXPECT_FALSE(validate(rules, choices, empty));
}

TEST(PaperScale, extrapolates_what_grows_in_proportion_and_names_the_published_total) {
  Choices choices;
  choices.paper_scale = true;
  const Validation validation = validated({}, choices);
  ASSERT_EQ(validation.paper.size(), 3U);
  const PaperEstimate& stream = validation.paper[1];
  EXPECT_EQ(stream.row.published_gbop, 144);
  EXPECT_EQ(stream.operations, std::uint64_t{100} * 100'000'000 * 80);
}

TEST(Report, says_what_the_reference_build_shows_and_what_it_does_not_and_every_verdict) {
  const Rules rules = shipped_rules();
  Choices choices;
  choices.quick = true;
  choices.weighting = rules.weightings.front();
  const Bench bench = FakeBench{}.bench(rules);
  const Validation validation = validate(rules, choices, bench).value();
  const Document document = describe(validation, rules, choices, bench, "anywhere");
  const auto holds = [&](std::string_view text) {
    return std::any_of(document.facts.begin(), document.facts.end(), [&](const Fact& fact) {
      return fact.value.find(text) != std::string::npos;
    });
  };
  EXPECT_TRUE(holds(kShows));
  EXPECT_TRUE(holds(kDoesNotShow));
  EXPECT_TRUE(holds("same engine"));
  EXPECT_EQ(document.tables.front().rows.size(), validation.rows.size());
  const auto json = to_json(validation, rules, choices, bench, "anywhere", {});
  EXPECT_EQ(json.at("verdicts").size(), 4U);
  EXPECT_TRUE(json.at("verdicts").at(1).at("decides").get<bool>());
  EXPECT_EQ(json.at("rows").size(), validation.rows.size());
}

}  // namespace
}  // namespace bops::validate
