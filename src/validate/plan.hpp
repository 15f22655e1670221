// Which problems are measured, as points: a kernel of a build on one input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "validate/bench.hpp"
#include "validate/rules.hpp"

namespace bops::validate {

/// What the user chose of it all.
struct Choices {
  bool quick = false;
  bool paper_scale = false;
  std::vector<std::string> kernels;  ///< empty: all
  std::optional<std::int64_t> size;  ///< instead of the sizes of the file
  Weighting weighting;               ///< of --rules
  double bound = 0.08;
};

struct Point {
  std::string kernel;
  std::string build;
  std::string style;
  std::int64_t size = 0;
  std::uint64_t seed = 1;
  std::string distribution = "uniform";
  std::uint64_t threads = 1;
  std::uint64_t rounds = 1;  ///< executions of the kernel that are isolated
  // clang-tidy 14 takes the comparison with 0 in a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const Point&, const Point&) = default;
};

/// One kernel of one build in the table: a point for each seed.
struct PlannedRow {
  KernelRules kernel;
  BuildRules build;
  std::vector<Point> points;
};

/// One kernel of one build: a factor from the base, tried on the inputs.
struct PlannedCalibration {
  struct Input {
    std::string label;    ///< "64 x work", "4 threads", "sorted"
    bool skewed = false;  ///< another distribution of the input
    Point point;
  };
  KernelRules kernel;
  BuildRules build;
  Point base;
  std::vector<Input> inputs;
};

struct PlannedDecoded {
  PlannedRow row;
  DecodedBuild rules;
  [[nodiscard]] bool departs() const;  ///< the rules say so, and why
};

struct Plan {
  std::vector<PlannedRow> rows;
  std::vector<PlannedCalibration> calibrations;
  std::vector<PlannedDecoded> decoded;
  std::vector<Point> paper;                         ///< from which --paper-scale extrapolates
  [[nodiscard]] std::vector<Point> points() const;  ///< each once
};

/// Leaves out the builds that are not there. Fails if a kernel is unknown, or no build is there.
[[nodiscard]] Result<Plan> make_plan(const Rules& rules, const Choices& choices,
                                     const Bench& bench);

/// The jobs of a point. The kernel is isolated by two runs that differ in its rounds alone.
[[nodiscard]] Job source_job(const Point& point, const std::string& workloads);
[[nodiscard]] Job run_with_kernel(const Point& point, const std::string& workloads, Job::Kind kind);
[[nodiscard]] Job run_without_kernel(const Point& point, const std::string& workloads,
                                     Job::Kind kind);

}  // namespace bops::validate
