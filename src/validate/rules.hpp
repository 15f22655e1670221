// What is validated, and by which rules: the data file validation.json, which is versioned and
// shown, so that nothing is chosen for a single kernel or run.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/error.hpp"

namespace bops::validate {

/// How often each category of source operations occurred, by its name in bops-workload.
using Tallies = std::map<std::string, std::uint64_t>;

/// Operations per occurrence of each category.
struct Weighting {
  std::string name;
  std::string why;
  std::map<std::string, std::uint64_t> weights;
};

struct BuildRules {
  std::string name;   ///< as in bops-workload-<name>
  std::string style;  ///< "pointer" or "index": which source text it compiles
  std::string flags;  ///< for people
};

struct KernelRules {
  std::string name;
  std::string group;           ///< "sort", "stream", "matmul" or "hold-out"
  bool judged = false;         ///< hold-outs are shown only
  bool distributions = false;  ///< its work depends on how the input is distributed
  /// Its index style assigns to an element by a compound operator, c[i][j] += x: one subscripting
  /// in the source, one to read and one to write where nothing is optimised.
  bool compound_subscript = false;
  std::int64_t quick_size = 0;
  std::int64_t full_size = 0;
  std::int64_t quick_calibration_size = 0;
  std::int64_t full_calibration_size = 0;
  std::int64_t skewed_size = 0;   ///< of other distributions, where sorts may be quadratic
  std::int64_t decoded_size = 0;  ///< at which the decoded claim judges
  /// Factors to the size that make about 8 and 64 times the operations.
  std::vector<std::int64_t> growth;
};

/// How much of it all is measured.
struct Profile {
  std::vector<std::uint64_t> seeds;
  std::vector<std::string> calibrated_builds;
  std::vector<std::string> calibrated_kernels;
};

struct DecodedBuild {
  std::string build;
  std::string rules;  ///< empty: those of the run (--rules)
  std::string why;
  /// Why kernels with a compound_subscript are not judged; empty: they are.
  std::string compound_departs;
};

/// A published total and the problem that comes nearest to it (never pass or fail).
struct PaperRow {
  std::string name;
  std::string kernel;
  std::string build;
  std::string rules;
  double published_gbop = 0;
  std::int64_t size = 0;
  std::uint64_t repeats = 1;
  std::string growth;  ///< "linear", "cubic" or "n log n" in the size
  std::string why;
};

struct Rules {
  std::uint64_t version = 0;
  std::string note;
  std::vector<Weighting> weightings;  ///< the first is the default
  std::vector<BuildRules> builds;
  std::vector<KernelRules> kernels;
  Profile quick;
  Profile full;
  std::uint64_t rounds = 1;          ///< executions of the kernel that a measurement isolates
  std::uint64_t rounds_inexact = 1;  ///< the same, where counts are not exact
  std::vector<std::string> reference_builds;
  std::vector<std::string> distributions;  ///< calibrated: judged where the mix has not moved
  std::vector<std::uint64_t> threads;      ///< calibrated: judged
  std::vector<DecodedBuild> decoded;
  std::vector<PaperRow> paper;
};

/// Reads a bops.validation_rules.v1 document; `path` stands for it in errors.
[[nodiscard]] Result<Rules> read_rules(std::string_view text, const std::string& path);

/// Reads a single weighting: {"name", "why", "weights": {CATEGORY: OPERATIONS}}.
[[nodiscard]] Result<Weighting> read_weighting(std::string_view text, const std::string& path);

/// Null if there is none of that name.
[[nodiscard]] const Weighting* find_weighting(const Rules& rules, std::string_view name);
[[nodiscard]] const BuildRules* find_build(const Rules& rules, std::string_view name);

/// Source operations. A category without a weight is a failure: it would count as nothing.
[[nodiscard]] Result<std::uint64_t> weigh(const Tallies& tallies, const Weighting& weighting);

}  // namespace bops::validate
