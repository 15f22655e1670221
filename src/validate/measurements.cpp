#include "validate/measurements.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "report/escape.hpp"
#include "report/json_node.hpp"

namespace bops::validate {
namespace {

constexpr int kWrongResult = 1;  // as bops-workload and the measured programs exit

using Outcomes = std::map<Job, Outcome>;

std::vector<Job> jobs_of(const Point& point, const Bench& bench) {
  std::vector<Job> jobs = {source_job(point, bench.workloads)};
  const auto isolate = [&](Job::Kind kind) {
    jobs.push_back(run_with_kernel(point, bench.workloads, kind));
    jobs.push_back(run_without_kernel(point, bench.workloads, kind));
  };
  isolate(Job::Kind::kCount);
  if (!bench.exact_engine.empty()) isolate(Job::Kind::kCountExactly);
  return jobs;
}

Result<Outcomes> run_all(const std::vector<Point>& points, const Bench& bench) {
  std::set<Job> unique;
  for (const Point& point : points)
    for (Job& job : jobs_of(point, bench)) unique.insert(std::move(job));
  const std::vector<Job> jobs(unique.begin(), unique.end());
  std::vector<Outcome> results = bench.run(jobs);
  Outcomes outcomes;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (results[i].error) return tl::unexpected(*results[i].error);
    outcomes.emplace(jobs[i], std::move(results[i]));
  }
  return outcomes;
}

/// Reads a bops.workload_count.v1 document into the measurement.
Result<void> read_source(const Job& job, const Outcome& outcome, const Weighting& source,
                         Measurement& measurement) {
  const auto document = nlohmann::ordered_json::parse(outcome.output, nullptr, false);
  if (outcome.exit_code > kWrongResult || document.is_discarded())
    return failure(
        shell_quoted(job.command) + " failed with status " + std::to_string(outcome.exit_code),
        "what it printed above says why");
  std::optional<Error> error;
  const JsonNode root(document, "", error);
  root.member("tallies").for_each_member([&](const std::string& category, const JsonNode& count) {
    measurement.tallies[category] = count.integer<std::uint64_t>();
  });
  if (!root.member("result_right").boolean())
    measurement.wrong.emplace_back("the instrumented kernel's result is wrong");
  const JsonNode closed_form = root.member("as_closed_form");
  if (!closed_form.is_null() && !closed_form.boolean())
    measurement.wrong.emplace_back("the instrumented kernel's tallies are not its closed form");
  const auto total = root.member("source").member("total").integer<std::uint64_t>();
  if (error) return failure(shell_quoted(job.command) + ": " + error->message);
  const auto weighed = weigh(measurement.tallies, source);
  if (!weighed) return tl::unexpected(weighed.error());
  if (*weighed != total)
    measurement.wrong.push_back("its tallies weigh " + std::to_string(*weighed) +
                                " under the rules " + source.name + ", and bops-workload prints " +
                                std::to_string(total));
  return {};
}

/// The kernel alone, or nothing and why.
std::optional<KernelCounts> isolate(const Point& point, const Bench& bench, Job::Kind kind,
                                    const Outcomes& outcomes, Measurement& measurement) {
  const Outcome& with = outcomes.at(run_with_kernel(point, bench.workloads, kind));
  const Outcome& without = outcomes.at(run_without_kernel(point, bench.workloads, kind));
  const int status = std::max(with.exit_code, without.exit_code);
  if (status == kWrongResult) {
    measurement.wrong.emplace_back("the measured kernel's result is wrong");
    return std::nullopt;
  }
  if (status != 0) {
    measurement.missing = status > 128 ? "it was killed by signal " + std::to_string(status - 128)
                                       : "it ended with status " + std::to_string(status);
    return std::nullopt;
  }
  auto alone = difference(with.counts, without.counts);
  if (!alone) {
    measurement.missing = alone.error().message;
    return std::nullopt;
  }
  if (kind == Job::Kind::kCount) {
    measurement.run_instructions = with.counts.instructions.total;
    measurement.run_wall_ns = with.wall_ns;
  }
  return *alone;
}

void count(const Point& point, const Bench& bench, const Outcomes& outcomes,
           Measurement& measurement) {
  if (const auto counted = isolate(point, bench, Job::Kind::kCount, outcomes, measurement))
    measurement.counted = *counted;
  else
    return;
  if (bench.counts_exactly)
    measurement.exact = measurement.counted;
  else if (!bench.exact_engine.empty())
    measurement.exact = isolate(point, bench, Job::Kind::kCountExactly, outcomes, measurement);
}

}  // namespace

Result<Measurements> measure(const std::vector<Point>& points, const Rules& rules,
                             const Bench& bench) {
  const auto outcomes = run_all(points, bench);
  if (!outcomes) return tl::unexpected(outcomes.error());
  const Weighting& source = rules.weightings.front();
  Measurements measurements;
  for (const Point& point : points) {
    Measurement& measurement = measurements[point];
    const Job job = source_job(point, bench.workloads);
    if (auto read = read_source(job, outcomes->at(job), source, measurement); !read)
      return tl::unexpected(read.error());
    count(point, bench, *outcomes, measurement);
    if (measurement.missing.empty() && !measurement.wrong.empty() &&
        measurement.counted.instructions.total == 0)
      measurement.missing = measurement.wrong.front();
  }
  return measurements;
}

}  // namespace bops::validate
