// bops run --sample, from the command line to the record and the report: on the PMU double, which
// leaves the samples that a test chooses, at the places that it chooses.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <set>

#include "platform/elf_symbols.hpp"
#include "tests/doubles/pmu/on_pmu_double.hpp"

namespace bops {
namespace {

using harness::count, harness::Counted, harness::target_program;
using Json = nlohmann::json;

constexpr std::uint64_t kPeriod = 1000;
constexpr std::uint64_t kThreads = 4;  // three, and the first
using Samples = std::array<std::uint64_t, 4>;
constexpr Samples kInRun{300, 80, 40, 30}, kInMain{100, 20, 10, 5};
constexpr std::array kEvents{"instructions", "loads", "stores", "branches"};

std::string rule(const std::string& verb, const Samples& samples, std::uint64_t times = 1) {
  std::string line = verb + " *";
  for (std::size_t i = 0; i < kEvents.size(); ++i)
    line += " " + std::string(kEvents.at(i)) + "=" + std::to_string(samples.at(i) * times);
  return line;
}

/// Some byte of a function, in its file.
std::uint64_t place_of(const std::string& path, const std::string& function) {
  const ElfSymbols symbols = ElfSymbols::read(path);
  const std::uint64_t size = std::filesystem::file_size(path);
  for (std::uint64_t place = 0; place < size; ++place)
    if (const ElfFunction* found = symbols.at_file_offset(place);
        found != nullptr && found->name == function)
      return place;
  ADD_FAILURE() << "no function " << function << " in " << path;
  return 0;
}

/// Each thread counts what its samples stand for.
class Sampled : public OnPmuDouble {
 protected:
  void SetUp() override {
    OnPmuDouble::SetUp();
    if (IsSkipped()) return;
    if (events_.groups.size() > 1)
      GTEST_SKIP() << "this CPU's events take turns, and cannot be sampled";
    program_ = std::filesystem::canonical(target_program("touch_pages")).string();
    Samples all{};
    for (std::size_t i = 0; i < all.size(); ++i) all.at(i) = kInRun.at(i) + kInMain.at(i);
    rules_ = event_rules(events_) + rule("thread", all, kPeriod) + "\n";
    in_functions_ = at(kInRun, "run") + at(kInMain, "main");
    pmu_->change(rules_ + in_functions_);
  }
  [[nodiscard]] std::string at(const Samples& samples, const std::string& function) const {
    return rule("sample", samples) + " at " + program_ + " " +
           std::to_string(place_of(program_, function)) + "\n";
  }
  /// Other samples, by lines of the double's rules.
  void change(const std::string& samples) { pmu_->change(rules_ + samples); }
  [[nodiscard]] Counted sample(const std::vector<std::string>& further = {}) const {
    std::vector<std::string> options{"--sample=" + std::to_string(kPeriod)};
    options.insert(options.end(), further.begin(), further.end());
    const Counted counted = count(command(), options, variables_);
    EXPECT_EQ(counted.ended.code, 0) << counted.ended.errors;
    return counted;
  }
  [[nodiscard]] std::vector<std::string> command() const {
    return {program_, std::to_string(kThreads - 1), "1"};
  }

  std::string program_;
  std::string rules_;
  std::string in_functions_;
};

std::string message_of(const Json& record, const std::string& code) {
  for (const Json& warning : record["warnings"])
    if (warning["code"] == code) return warning["message"];
  return {};
}

Json function(const Json& record, const std::string& image, const std::string& name) {
  for (const Json& row : record["sampled"]["functions"])
    if (row["image"] == image && row["name"] == name) return row;
  ADD_FAILURE() << "no " << name << " of " << image << " in " << record["sampled"].dump(1);
  return {};
}

Samples samples_of(const Json& samples) {
  return {samples["instructions"], samples["loads"], samples["stores"], samples["branches"]};
}

Samples times(const Samples& samples, std::uint64_t factor) {
  Samples product = samples;
  for (std::uint64_t& number : product) number *= factor;
  return product;
}

std::uint64_t sum(const Samples& samples) {
  return samples[0] + samples[1] + samples[2] + samples[3];
}

std::int64_t formula(const Samples& samples) {
  return static_cast<std::int64_t>(samples[0] - samples[1] - samples[2] - samples[3]) *
         static_cast<std::int64_t>(kPeriod);
}

/// Of binomial samples, and one more for where a thread's samples begin, for each event.
double error_of(const Samples& mine, const Samples& all) {
  double variance = 0;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const auto n = static_cast<double>(mine.at(i));
    variance += n * (1 - n / static_cast<double>(all.at(i))) + 1;
  }
  return std::sqrt(variance) * kPeriod;
}

/// "1,234,567"
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (int place = static_cast<int>(digits.size()) - 3; place > 0; place -= 3)
    digits.insert(static_cast<std::size_t>(place), ",");
  return digits;
}

TEST_F(Sampled, functions_have_their_shares_with_their_errors) {
  for (const char* collector : {"perf", "pmu"}) {
    const Json record = sample({"--collector", collector}).record;
    const Json& sampled = record["sampled"];
    const Samples run = times(kInRun, kThreads), main = times(kInMain, kThreads);
    Samples all{};
    for (std::size_t i = 0; i < all.size(); ++i) all.at(i) = run.at(i) + main.at(i);
    EXPECT_EQ(sampled["period"], kPeriod);
    EXPECT_EQ(samples_of(sampled["samples"]), all);
    EXPECT_EQ(sampled["functions"].size(), 2U);
    std::int64_t estimates = 0;
    for (const auto& [name, mine] : {std::pair{"run", run}, std::pair{"main", main}}) {
      const Json row = function(record, program_, name);
      EXPECT_EQ(samples_of(row["samples"]), mine) << name;
      EXPECT_EQ(row["bops_formula_estimate"], formula(mine)) << name;
      EXPECT_NEAR(row["standard_error"].get<double>(), error_of(mine, all), 1e-3) << name;
      EXPECT_EQ(row["enough_samples"], true);
      estimates += row["bops_formula_estimate"].get<std::int64_t>();
    }
    // The threads counted whole periods, all of which were sampled.
    EXPECT_EQ(record["totals"]["bops_formula"], estimates);
    for (const Json& thread : record["threads"]) EXPECT_EQ(thread["via"], "perf");
    EXPECT_EQ(message_of(record, "samples_lost"), "");
  }
}

TEST_F(Sampled, the_report_shows_the_estimates_with_two_standard_errors) {
  const auto ended =
      harness::run({harness::bops_program(), "run", "--collector", "perf", "--sample=1000", "-o",
                    "-", "--format", "txt", "--", program_, std::to_string(kThreads - 1), "1"},
                   variables_);
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const Samples run = times(kInRun, kThreads), main = times(kInMain, kThreads);
  Samples all{};
  for (std::size_t i = 0; i < all.size(); ++i) all.at(i) = run.at(i) + main.at(i);
  EXPECT_NE(ended.output.find("a sample of every 1,000 instructions"), std::string::npos);
  for (const auto& [name, mine] : {std::pair{"run", run}, std::pair{"main", main}}) {
    const std::string row =
        grouped(formula(mine)) + "  " + grouped(std::llround(2 * error_of(mine, all)));
    std::string text = ended.output;
    for (std::size_t at = 0; (at = text.find("   ", at)) != std::string::npos;) text.erase(at, 1);
    EXPECT_NE(text.find(row), std::string::npos) << name << ": " << row << " in\n" << text;
  }
}

TEST_F(Sampled, what_was_lost_is_told_in_numbers_by_new_kernels_and_old_ones) {
  constexpr std::uint64_t kLost = 7;
  // Kernels before 6.0 have nothing but records of it in the ring.
  for (const char* kernel : {"", "without lost\n"}) {
    change(kernel + ("lost * loads=" + std::to_string(kLost) + "\n") + in_functions_);
    const Counted counted = sample({"--collector", "perf"});
    const Json& record = counted.record;
    EXPECT_EQ(record["sampled"]["lost"], kLost * kThreads) << kernel;
    EXPECT_TRUE(message_of(record, "samples_lost").starts_with("28 samples")) << kernel;
    EXPECT_EQ(samples_of(function(record, program_, "run")["samples"]), times(kInRun, kThreads));
  }
  const auto ended =
      harness::run({harness::bops_program(), "run", "--collector", "perf", "--sample=1000", "-o",
                    "-", "--format", "txt", "--", program_, std::to_string(kThreads - 1), "1"},
                   variables_);
  EXPECT_NE(ended.output.find("28 samples were lost"), std::string::npos) << ended.output;
}

TEST_F(Sampled, more_than_a_buffer_holds_is_in_the_buffer_or_told_as_lost) {
  constexpr Samples kMany{100'000, 0, 0, 0};
  change(at(kMany, "run"));
  const Json record = sample({"--collector", "perf"}).record;
  const Json& sampled = record["sampled"];
  const std::uint64_t lost = sampled["lost"];
  EXPECT_EQ(sum(samples_of(sampled["samples"])) + lost, sum(kMany) * kThreads);
  EXPECT_GT(sum(samples_of(sampled["samples"])), 0U);
  EXPECT_EQ(message_of(record, "samples_lost").empty(), lost == 0);
}

TEST_F(Sampled, none_unless_asked_for_not_even_a_buffer_for_them) {
  const Counted plain = count(command(), {"--collector", "perf"}, variables_);
  ASSERT_EQ(plain.ended.code, 0) << plain.ended.errors;
  EXPECT_FALSE(plain.record.contains("sampled"));
  EXPECT_EQ(pmu_->rings_mapped(), 0U);
  const Json sampled = sample({"--collector", "perf"}).record;
  EXPECT_EQ(pmu_->rings_mapped(), kThreads);
  // And the counts are what they are without samples.
  for (const char* number : {"instructions", "loads", "stores", "branches", "bops_formula"})
    EXPECT_EQ(sampled["totals"][number], plain.record["totals"][number]) << number;
}

TEST_F(Sampled, threads_without_a_buffer_are_counted_and_told_of) {
  change("rings 0\n" + in_functions_);
  const Json record = sample({"--collector", "perf"}).record;
  EXPECT_EQ(record["sampled"]["threads_without"], kThreads);
  EXPECT_EQ(record["sampled"]["functions"].size(), 0U);
  EXPECT_NE(message_of(record, "threads_not_sampled").find("locked in memory"), std::string::npos);
  EXPECT_EQ(record["totals"]["instructions"], (kInRun[0] + kInMain[0]) * kPeriod * kThreads);
}

TEST_F(Sampled, events_that_skid_are_named) {
  const auto skidding = [this] {
    const Json record = sample({"--collector", "perf"}).record;
    const auto names = record["sampled"]["skidding"].get<std::set<std::string>>();
    for (const std::string& name : names)
      EXPECT_NE(message_of(record, "samples_skid").find(name), std::string::npos) << name;
    return names;
  };
  EXPECT_EQ(skidding(), (std::set<std::string>{"instructions"}));
  change("without precise\n" + in_functions_);
  EXPECT_EQ(skidding(), (std::set<std::string>{kEvents.begin(), kEvents.end()}));
}

TEST_F(Sampled, functions_are_found_without_build_ids_from_the_kernel) {
  const Json with = function(sample().record, program_, "run");
  change("without build_id\n" + in_functions_);
  EXPECT_EQ(function(sample().record, program_, "run"), with);
}

TEST_F(Sampled, what_lies_in_no_file_has_no_function) {
  change(rule("sample", kInRun) + " at - 0xffffffff81000000\n" + rule("sample", kInMain) +
         " at - 0x10\n");
  const Json record = sample({"--collector", "perf", "--with-kernel"}).record;
  EXPECT_EQ(samples_of(function(record, "[kernel]", "[unknown]")["samples"]),
            times(kInRun, kThreads));
  EXPECT_EQ(samples_of(function(record, "[unknown]", "[unknown]")["samples"]),
            times(kInMain, kThreads));
}

TEST_F(Sampled, too_few_samples_name_a_function_and_no_more) {
  change(at({6, 1, 1, 1}, "run") + at(kInMain, "main"));
  const Json record = sample({"--collector", "perf"}).record;
  EXPECT_EQ(function(record, program_, "run")["enough_samples"], false);
  EXPECT_EQ(function(record, program_, "main")["enough_samples"], true);
}

}  // namespace
}  // namespace bops
