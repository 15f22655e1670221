// What validation needs from outside: programs run, and counted. The command line gives it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/error.hpp"
#include "model/run_counts.hpp"

namespace bops::validate {

struct Job {
  enum class Kind : std::uint8_t {
    kRead,          ///< run it as it is, keep its stdout
    kCount,         ///< count it with the collector that is validated
    kCountExactly,  ///< count it with the exact engine
  };
  Kind kind;
  std::vector<std::string> command;
  // clang-tidy 14 takes the comparison with 0 in a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const Job&, const Job&) = default;
};

struct Outcome {
  std::optional<Error> error;  ///< it could not be run or counted; the rest means nothing then
  int exit_code = 0;           ///< 128 + N: killed by signal N
  std::string output;          ///< kRead
  Counts counts;               ///< of the whole run, otherwise
  std::uint64_t wall_ns = 0;
};

struct Bench {
  /// Runs them all, in any order or at once; the outcomes are in the order of the jobs.
  std::function<std::vector<Outcome>(const std::vector<Job>& jobs)> run;
  std::string collector;        ///< the one that is validated
  bool counts_exactly = false;  ///< it is an exact engine itself
  bool emulates = false;        ///< its time is not the program's own
  std::string exact_engine;     ///< another exact engine; empty: there is none, or it is the same
  std::string workloads;        ///< the directory of bops-workload, with workloads/ in it
  std::vector<std::string> built;  ///< the builds whose programs are there
};

}  // namespace bops::validate
