// bops validate as a user meets it.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::Ended;
using harness::TemporaryDirectory;

Ended validate(std::vector<std::string> options) {
  options.insert(options.begin(), {harness::bops_program(), "validate", "--quick"});
  return harness::run(options);
}

/// A directory for --workloads whose bops-workload is the script, with the real one in $REAL.
void plant(const TemporaryDirectory& directory, const std::string& script) {
  const std::string runtime = BOPS_RUNTIME_DIR;
  std::filesystem::create_directory_symlink(runtime + "/workloads", directory / "workloads");
  std::ofstream(directory / "bops-workload")
      << "#!/bin/sh\nREAL='" << runtime << "/bops-workload'\n"
      << script;
  ::chmod((directory / "bops-workload").c_str(), 0755);
}

std::string verdict(const nlohmann::json& document, const std::string& claim) {
  for (const auto& row : document.at("verdicts"))
    if (row.at("claim") == claim) return row.at("verdict");
  return "no such claim";
}

TEST(BopsValidate, finds_the_reference_build_within_the_bound_and_ordinary_builds_outside) {
  const Ended ended = validate({"--json"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  const auto document = nlohmann::json::parse(ended.output);
  EXPECT_EQ(verdict(document, "reference"), "holds");
  EXPECT_EQ(verdict(document, "anywhere"), "fails");
  EXPECT_EQ(verdict(document, "calibrated"), "holds");
  EXPECT_EQ(verdict(document, "decoded"), "holds");
  const std::size_t builds = document.at("builds").size() - document.at("absent_builds").size();
  EXPECT_EQ(document.at("rows").size(), 13 * builds);
  for (const auto& row : document.at("rows")) {
    if (!row.at("missing").is_null()) continue;
    const auto formula = row.at("counted").at("bops_formula").get<double>();
    EXPECT_NEAR(row.at("error").at("mean").get<double>(),
                formula / row.at("source").get<double>() - 1, 1e-12);
    if (!document.at("collector").at("counts_exactly").get<bool>()) continue;
    EXPECT_EQ(row.at("counter_error"), 0.0);
    EXPECT_EQ(row.at("model_error"), row.at("error").at("mean"));
  }
}

TEST(BopsValidate, exits_by_the_claim_and_the_bound_and_names_what_is_outside) {
  const std::string kernels = "--kernels=stream,matmul";
  EXPECT_EQ(validate({kernels}).code, 0);
  const Ended tight = validate({kernels, "--bound", "0.0001"});
  EXPECT_EQ(tight.code, 1);
  EXPECT_NE(tight.errors.find("matmul gcc-reference"), std::string::npos) << tight.errors;
  const Ended anywhere = validate({kernels, "--claim", "anywhere"});
  EXPECT_EQ(anywhere.code, 1);
  EXPECT_NE(anywhere.errors.find("stream gcc-O2"), std::string::npos) << anywhere.errors;
  EXPECT_EQ(validate({kernels, "--claim", "anywhere", "--bound", "1000"}).code, 0);
}

TEST(BopsValidate, counts_four_threads_as_four_times_one) {
  const auto document = nlohmann::json::parse(validate({"--kernels", "stream", "--json"}).output);
  std::size_t threads = 0;
  for (const auto& row : document.at("calibrations")) {
    if (row.at("threads") == 1 || !row.at("missing").is_null()) continue;
    ++threads;
    EXPECT_NEAR(row.at("drift").get<double>(), 0, 0.002) << row.at("build");
  }
  EXPECT_GT(threads, 0U);
}

/// Of a kernel whose innermost statement is a compound assignment: what it decodes beyond what its
/// rules give the source, for each such assignment.
double beyond_source(const nlohmann::json& document, const std::string& kernel,
                     const std::string& build, const char* once_per_assignment) {
  double assignments = 0;
  for (const auto& source : document.at("sources"))
    if (source.at("kernel") == kernel && source.at("style") == "index")
      assignments = source.at("tallies").at(once_per_assignment).get<double>();
  for (const auto& row : document.at("decoded"))
    if (row.at("kernel") == kernel && row.at("build") == build) {
      EXPECT_FALSE(row.at("judged").get<bool>());
      return (row.at("decoded").get<double>() - row.at("source").get<double>()) / assignments;
    }
  return 0;
}

TEST(BopsValidate, departs_in_decoded_operations_by_what_unoptimised_compound_assignments_add) {
  const auto document =
      nlohmann::json::parse(validate({"--kernels", "matmul,histogram", "--json"}).output);
  const auto absent = [&](const char* build) {
    const auto& builds = document.at("absent_builds");
    return std::find(builds.begin(), builds.end(), build) != builds.end();
  };
  // Two floating-point operations, and one logical one, are to each assignment.
  if (!absent("gcc-O0")) {
    EXPECT_NEAR(2 * beyond_source(document, "matmul", "gcc-O0", "floating_point"), 4, 0.05);
    EXPECT_NEAR(beyond_source(document, "histogram", "gcc-O0", "logic"), 5, 0.05);
  }
  if (absent("clang-O0")) GTEST_SKIP() << "no clang";
  EXPECT_NEAR(2 * beyond_source(document, "matmul", "clang-O0", "floating_point"), 1, 0.05);
  EXPECT_NEAR(beyond_source(document, "histogram", "clang-O0", "logic"), 1, 0.05);
}

TEST(BopsValidate, finds_an_instrumented_kernel_that_counts_other_work_than_is_measured) {
  const TemporaryDirectory directory;
  plant(directory, R"(for word; do
  shift
  [ "$before" = --size ] && word=$((word * 2))
  before=$word
  set -- "$@" "$word"
done
exec "$REAL" "$@"
)");
  const Ended ended = validate({"--kernels", "quicksort_hoare", "--workloads", directory.path()});
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.errors.find("quicksort_hoare gcc-reference -5"), std::string::npos)
      << ended.errors;
}

TEST(BopsValidate, finds_tallies_that_are_not_what_bops_workload_sums_or_not_its_closed_form) {
  const TemporaryDirectory sums;
  plant(sums, R"("$REAL" "$@" | sed 's/"loop_compare": /"loop_compare": 1/')");
  const Ended summed = validate({"--kernels", "stream", "--workloads", sums.path()});
  EXPECT_EQ(summed.code, 1);
  EXPECT_NE(summed.errors.find("stream gcc-reference: its tallies weigh"), std::string::npos)
      << summed.errors;
  const TemporaryDirectory form;
  plant(form, R"("$REAL" "$@" | sed 's/"as_closed_form": true/"as_closed_form": false/'; exit 1)");
  const Ended formed = validate({"--kernels", "stream", "--workloads", form.path()});
  EXPECT_EQ(formed.code, 1);
  EXPECT_NE(formed.errors.find("closed form"), std::string::npos) << formed.errors;
}

TEST(BopsValidate, refuses_what_it_does_not_know_and_says_what_there_is) {
  const Ended kernel = validate({"--kernels", "bubble_sort"});
  EXPECT_EQ(kernel.code, 125);
  EXPECT_NE(kernel.errors.find("quicksort_lomuto"), std::string::npos) << kernel.errors;
  EXPECT_EQ(validate({"--claim", "everywhere"}).code, 125);
  const Ended rules = validate({"--rules", "my_rules"});
  EXPECT_EQ(rules.code, 125);
  EXPECT_NE(rules.errors.find("two_per_subscript"), std::string::npos) << rules.errors;
  EXPECT_EQ(validate({"--format", "csv"}).code, 125);
  EXPECT_EQ(validate({"--bound", "-1"}).code, 125);
  EXPECT_EQ(validate({"--workloads", "/nowhere"}).code, 125);
  EXPECT_EQ(validate({"--collector", "abacus"}).code, 125);
  const Ended size = validate({"--kernels", "matmul_blocked", "--size", "33"});
  EXPECT_EQ(size.code, 125);
  EXPECT_NE(size.errors.find("multiple of"), std::string::npos) << size.errors;
}

TEST(BopsValidate, weighs_the_same_tallies_by_other_rules) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "heavy.json")
      << R"({"name": "heavy", "weights": {"integer_arithmetic": 2, "logic": 2, "compare": 2,
             "loop_step": 2, "loop_compare": 2, "subscript_1d": 2, "subscript_2d": 4,
             "pointer_step": 2, "short_circuit": 0, "floating_point": 2}})";
  const auto plain = nlohmann::json::parse(validate({"--kernels", "stream", "--json"}).output);
  const Ended ended =
      validate({"--kernels", "stream", "--rules", directory / "heavy.json", "--json"});
  EXPECT_EQ(ended.code, 1) << "half of what these rules ask for";
  const auto heavy = nlohmann::json::parse(ended.output);
  EXPECT_EQ(heavy.at("rules").at("name"), "heavy");
  EXPECT_EQ(heavy.at("rows").at(0).at("source").get<std::uint64_t>(),
            2 * plain.at("rows").at(0).at("source").get<std::uint64_t>());
  // Where the kernel puts the stack differs from run to run, and string functions look at
  // addresses.
  const auto formula = [](const nlohmann::json& result) {
    return result.at("rows").at(0).at("counted").at("bops_formula").get<double>();
  };
  EXPECT_NEAR(formula(heavy), formula(plain), formula(plain) / 1000);
}

TEST(BopsValidate, writes_text_and_markdown_with_all_verdicts_and_both_sentences) {
  const TemporaryDirectory directory;
  EXPECT_EQ(validate({"--kernels", "dot,stream", "-o", directory / "v.md"}).code, 0);
  for (const std::string& text : {harness::read_file(directory / "v.md"),
                                  validate({"--kernels", "dot,stream", "--paper-scale"}).output}) {
    for (const char* words : {"reference", "anywhere", "calibrated", "decoded", "does not show",
                              "same engine", "not judged"})
      EXPECT_NE(text.find(words), std::string::npos) << words;
  }
}

TEST(BopsValidate, names_every_kernel_that_bops_workload_has) {
  const auto list = nlohmann::json::parse(
      harness::run({std::string(BOPS_RUNTIME_DIR) + "/bops-workload", "list", "--json"}).output);
  const Ended ended = validate({"--kernels", "none"});
  for (const auto& kernel : list.at("kernels"))
    EXPECT_NE(ended.errors.find(kernel.at("name").get<std::string>()), std::string::npos);
}

}  // namespace
}  // namespace bops
