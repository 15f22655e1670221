#include "validate/plan.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace bops::validate {
namespace {

bool holds(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

Result<std::vector<KernelRules>> chosen_kernels(const Rules& rules, const Choices& choices) {
  std::vector<KernelRules> kernels;
  std::string names;
  for (const KernelRules& kernel : rules.kernels) {
    names += (names.empty() ? "" : ", ") + kernel.name;
    if (choices.kernels.empty() || holds(choices.kernels, kernel.name)) kernels.push_back(kernel);
  }
  for (const std::string& name : choices.kernels)
    if (std::none_of(kernels.begin(), kernels.end(),
                     [&](const KernelRules& kernel) { return kernel.name == name; }))
      return failure("there is no kernel " + name, "choose from: " + names);
  return kernels;
}

/// Makes the points of one run of validate.
class Planner {
 public:
  Planner(const Rules& rules, const Choices& choices, const Bench& bench)
      : rules_(rules),
        choices_(choices),
        profile_(choices.quick ? rules.quick : rules.full),
        rounds_(bench.counts_exactly ? rules.rounds : rules.rounds_inexact) {}

  [[nodiscard]] PlannedRow row(const KernelRules& kernel, const BuildRules& build,
                               std::int64_t size) const {
    PlannedRow planned{kernel, build, {}};
    for (const std::uint64_t seed : profile_.seeds) {
      planned.points.push_back(point(kernel, build, size));
      planned.points.back().seed = seed;
    }
    return planned;
  }

  [[nodiscard]] std::int64_t table_size(const KernelRules& kernel) const {
    return choices_.size.value_or(choices_.quick ? kernel.quick_size : kernel.full_size);
  }

  [[nodiscard]] PlannedCalibration calibration(const KernelRules& kernel,
                                               const BuildRules& build) const {
    const Point base = point(kernel, build, calibration_size(kernel));
    PlannedCalibration planned{kernel, build, base, {}};
    std::uint64_t work = 1;
    for (const std::int64_t factor : kernel.growth) {
      Point larger = base;
      larger.size *= factor;
      work *= 8;  // by the definition of growth
      planned.inputs.push_back({std::to_string(work) + " x work", false, larger});
    }
    for (const std::uint64_t threads : rules_.threads) {
      Point parallel = base;
      parallel.threads = threads;
      planned.inputs.push_back({std::to_string(threads) + " threads", false, parallel});
    }
    if (!kernel.distributions) return planned;
    for (const std::string& distribution : rules_.distributions) {
      Point skewed = base;
      skewed.size = choices_.size.value_or(kernel.skewed_size);
      skewed.distribution = distribution;
      planned.inputs.push_back({distribution, true, skewed});
    }
    return planned;
  }

  [[nodiscard]] bool calibrates(const KernelRules& kernel, const BuildRules& build) const {
    return holds(profile_.calibrated_kernels, kernel.name) &&
           holds(profile_.calibrated_builds, build.name);
  }

  /// A small and a large problem of the kernel and build of a published total.
  [[nodiscard]] std::vector<Point> paper_points(const KernelRules& kernel,
                                                const BuildRules& build) const {
    const Point small = point(kernel, build, calibration_size(kernel));
    Point large = small;
    if (!kernel.growth.empty()) large.size *= kernel.growth.back();
    return {small, large};
  }

  [[nodiscard]] std::int64_t decoded_size(const KernelRules& kernel) const {
    return choices_.size.value_or(kernel.decoded_size);
  }

 private:
  [[nodiscard]] std::int64_t calibration_size(const KernelRules& kernel) const {
    return choices_.size.value_or(choices_.quick ? kernel.quick_calibration_size
                                                 : kernel.full_calibration_size);
  }

  [[nodiscard]] Point point(const KernelRules& kernel, const BuildRules& build,
                            std::int64_t size) const {
    Point made;
    made.kernel = kernel.name;
    made.build = build.name;
    made.style = build.style;
    made.size = size;
    made.seed = profile_.seeds.front();
    made.rounds = rounds_;
    return made;
  }

  const Rules& rules_;
  const Choices& choices_;
  const Profile& profile_;
  std::uint64_t rounds_;
};

std::vector<std::string> problem_words(const Point& point) {
  return {"--size",         std::to_string(point.size), "--seed",    std::to_string(point.seed),
          "--distribution", point.distribution,         "--threads", std::to_string(point.threads)};
}

Job run_job(const Point& point, const std::string& workloads, Job::Kind kind, std::uint64_t repeats,
            std::uint64_t idle_repeats) {
  Job job{kind, {workloads + "/workloads/bops-workload-" + point.build, point.kernel}};
  for (std::string& word : problem_words(point)) job.command.push_back(std::move(word));
  for (const std::string& word : {std::string("--repeat-kernel"), std::to_string(repeats),
                                  std::string("--idle-repeats"), std::to_string(idle_repeats)})
    job.command.push_back(word);
  return job;
}

}  // namespace

bool PlannedDecoded::departs() const {
  return row.kernel.compound_subscript && row.build.style == "index" &&
         !rules.compound_departs.empty();
}

std::vector<Point> Plan::points() const {
  std::set<Point> all(paper.begin(), paper.end());
  for (const PlannedRow& row : rows) all.insert(row.points.begin(), row.points.end());
  for (const PlannedDecoded& row : decoded)
    all.insert(row.row.points.begin(), row.row.points.end());
  for (const PlannedCalibration& calibration : calibrations) {
    all.insert(calibration.base);
    for (const auto& input : calibration.inputs) all.insert(input.point);
  }
  return {all.begin(), all.end()};
}

Result<Plan> make_plan(const Rules& rules, const Choices& choices, const Bench& bench) {
  const auto kernels = chosen_kernels(rules, choices);
  if (!kernels) return tl::unexpected(kernels.error());
  const Planner planner(rules, choices, bench);
  Plan plan;
  for (const KernelRules& kernel : *kernels)
    for (const BuildRules& build : rules.builds) {
      if (!holds(bench.built, build.name)) continue;
      plan.rows.push_back(planner.row(kernel, build, planner.table_size(kernel)));
      if (planner.calibrates(kernel, build))
        plan.calibrations.push_back(planner.calibration(kernel, build));
      if (choices.paper_scale)
        for (const PaperRow& row : rules.paper)
          if (row.kernel == kernel.name && row.build == build.name)
            for (Point& point : planner.paper_points(kernel, build))
              plan.paper.push_back(std::move(point));
      for (const DecodedBuild& decoded : rules.decoded)
        if (decoded.build == build.name)
          plan.decoded.push_back(
              {planner.row(kernel, build, planner.decoded_size(kernel)), decoded});
    }
  if (plan.rows.empty())
    return failure(
        "none of the measured programs is in " + bench.workloads + "/workloads",
        "build them (ninja bops_workload_programs), or name their place: --workloads DIR");
  return plan;
}

Job source_job(const Point& point, const std::string& workloads) {
  Job job{Job::Kind::kRead,
          {workloads + "/bops-workload", "count", point.kernel, "--style", point.style, "--json",
           "--repeat-kernel", std::to_string(point.rounds)}};
  for (std::string& word : problem_words(point)) job.command.push_back(std::move(word));
  return job;
}

Job run_with_kernel(const Point& point, const std::string& workloads, Job::Kind kind) {
  return run_job(point, workloads, kind, point.rounds + 1, 0);
}

Job run_without_kernel(const Point& point, const std::string& workloads, Job::Kind kind) {
  return run_job(point, workloads, kind, 1, point.rounds);
}

}  // namespace bops::validate
