#include "tests/validation/fake_bench.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "platform/files.hpp"

namespace bops::validate {
namespace {

constexpr std::uint64_t kPerUnit = 100;
constexpr std::uint64_t kSetUp = 1000;

std::uint64_t word_after(const std::vector<std::string>& words, const std::string& option) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i)
    if (words[i] == option) return std::stoull(words[i + 1]);
  return 0;
}

bool is_skewed(const std::vector<std::string>& words) {
  const auto option = std::find(words.begin(), words.end(), "--distribution");
  return option != words.end() && *std::next(option) != "uniform";
}

std::uint64_t scaled(std::uint64_t count, double factor) {
  return static_cast<std::uint64_t>(std::llround(static_cast<double>(count) * factor));
}

std::uint64_t units(const std::vector<std::string>& words) {
  return word_after(words, "--size") * word_after(words, "--threads");
}

Outcome read(const FakeBench& fake, const Job& job) {
  const std::string& kernel = job.command[2];
  const std::uint64_t compares =
      scaled(units(job.command) * word_after(job.command, "--repeat-kernel") * kPerUnit,
             fake.source_factor(kernel));
  nlohmann::json tallies;
  for (const char* category :
       {"integer_arithmetic", "logic", "loop_step", "loop_compare", "subscript_1d", "subscript_2d",
        "pointer_step", "short_circuit", "floating_point"})
    tallies[category] = 0;
  tallies["compare"] = compares;
  const bool as_closed_form = kernel != fake.not_as_closed_form;
  const nlohmann::json document = {{"tallies", tallies},
                                   {"source", {{"total", compares}}},
                                   {"result_right", true},
                                   {"as_closed_form", as_closed_form}};
  Outcome outcome;
  outcome.exit_code = as_closed_form ? 0 : 1;
  outcome.output = document.dump();
  return outcome;
}

Outcome count(const FakeBench& fake, const Job& job) {
  const std::string build = job.command[0].substr(job.command[0].rfind("bops-workload-") + 14);
  Outcome outcome;
  if (build == fake.wrong_result) outcome.exit_code = 1;
  if (build == fake.killed_build) outcome.exit_code = 128 + 4;
  const std::uint64_t repeats = word_after(job.command, "--repeat-kernel");
  const std::uint64_t rounds = repeats + word_after(job.command, "--idle-repeats");
  const bool skewed = is_skewed(job.command);
  const std::uint64_t work =
      scaled(units(job.command) * repeats * kPerUnit,
             fake.formula_factor(job.command[1], build) * (skewed ? fake.skewed_formula : 1));
  const std::uint64_t loads = scaled(work, skewed ? fake.skewed_loads : 3);
  outcome.counts.instructions = {kSetUp * rounds + work + loads, loads, 0, 0};
  if (job.kind == Job::Kind::kCount) {
    outcome.counts.instructions.loads = scaled(loads, fake.counter_factor);
    if (!fake.counts_exactly) return outcome;
  }
  outcome.counts.operations = Operations{work + 7 * rounds, 0, 0};
  outcome.wall_ns = 1000 * work;
  return outcome;
}

}  // namespace

Bench FakeBench::bench(const Rules& rules) const {
  Bench bench;
  bench.collector = "fake";
  bench.counts_exactly = counts_exactly;
  if (!counts_exactly) bench.exact_engine = "engine";
  bench.workloads = "/w";
  for (const BuildRules& build : rules.builds) bench.built.push_back(build.name);
  bench.run = [fake = *this](const std::vector<Job>& jobs) {
    std::vector<Outcome> outcomes;
    outcomes.reserve(jobs.size());
    for (const Job& job : jobs)
      outcomes.push_back(job.kind == Job::Kind::kRead ? read(fake, job) : count(fake, job));
    return outcomes;
  };
  return bench;
}

Rules shipped_rules() {
  return read_rules(read_file_whole(BOPS_VALIDATION_RULES).value(), BOPS_VALIDATION_RULES).value();
}

}  // namespace bops::validate
