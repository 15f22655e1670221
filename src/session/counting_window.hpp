// The part of a run that --delay and --control leave in.
#pragma once

#include <map>
#include <optional>
#include <tuple>

#include "model/run_counts.hpp"

namespace bops {

/// Takes out of the counts of a run what was executed while the window was closed. States of the
/// run are given to it as they were when it opened or closed; counts never go back between them.
class CountingWindow {
 public:
  explicit CountingWindow(bool open) : is_open_(open), was_closed_(!open) {}

  void open(const RunCounts& now);
  void close(const RunCounts& now);
  [[nodiscard]] bool is_open() const { return is_open_; }

  /// `now` less what was executed outside the window. Images, functions and regions, which are not
  /// known for parts of a run, are left out once it was closed, with a warning.
  [[nodiscard]] RunCounts inside(RunCounts now) const;

 private:
  using Key = std::tuple<pid_t, pid_t, std::uint64_t>;  ///< pid, tid (0: process), start
  struct Sums {
    std::map<Key, Counts> rows;
    std::uint64_t cycles = 0;
  };
  [[nodiscard]] static Sums sums_of(const RunCounts& counts);

  bool is_open_;
  bool was_closed_;
  Sums outside_;   ///< executed while it was closed, up to its last opening
  Sums at_close_;  ///< the state in which it was closed
};

}  // namespace bops
