// Whether chains of records are what was written: every byte, every line, up to the last
// checkpoint.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "usage/checkpoint.hpp"

namespace bops {

/// Where a line is. `line` is 0 for a file as a whole.
struct LinePlace {
  std::string file;
  std::uint64_t line = 0;
  // clang-tidy 14 takes the comparison with 0 in a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const LinePlace&, const LinePlace&) = default;
};

struct ChainProblem {
  LinePlace place;
  std::string message;
};

struct SourceVerdict {
  std::string source;
  std::uint64_t lines = 0;
  std::uint64_t vouched = 0;  ///< the first so many are those of a signed checkpoint
  bool closed = false;        ///< by a final checkpoint
  bool right = true;
  LinePlace open_from;  ///< the first line that is not vouched for; line 0 if there is none
};

struct VerifyReport {
  std::vector<SourceVerdict> sources;  ///< by name
  std::vector<ChainProblem> problems;  ///< by place: the first is the first line that is wrong
  std::vector<ChainProblem> notes;  ///< what is no fault, as a line cut short in an open interval
};

/// Takes checkpoints, then the lines of any number of sources in their order, then gives a report.
/// In memory: a few words for each source and checkpoint.
class ChainVerifier {
 public:
  explicit ChainVerifier(const TrustedKeys& trusted) : trusted_(trusted) {}

  /// Lines of another source than one that starts so are wrong. Empty: any.
  void expect_source(std::string prefix) { expected_ = std::move(prefix); }
  /// One line of a file of checkpoints. `last_incomplete`: it has no newline. `must_have_records`:
  /// that none of its records are there is a fault.
  void add_checkpoint(const LinePlace& place, std::string_view line, bool last_incomplete,
                      bool must_have_records);
  /// The next line of a file of records. A line of which `incomplete` is true ends without newline.
  void add_line(const LinePlace& place, std::string_view line, bool incomplete);
  void add_problem(LinePlace place, std::string message);
  [[nodiscard]] VerifyReport finish();

 private:
  struct Chain {
    std::uint64_t count = 0;
    std::string last_hash{kNoLine};
    LinePlace last;
    LinePlace open_from;
    std::uint64_t vouched = 0;
    bool broken = false;
    bool suspected = false;  ///< the last line does not fit the one before: which of them is wrong?
    LinePlace before_last;
    std::string signed_hash;  ///< of the last line as a checkpoint has it, if it is not that line's
    std::map<std::uint64_t, Checkpoint> checkpoints;  ///< by number of lines
    bool must_have_records = false;
    LinePlace checkpoint_place;
  };
  void blame(Chain& chain, LinePlace place, std::string message);
  void hold_against_checkpoint(Chain& chain);
  /// The last line is not the one of a checkpoint; `next_prev` is what the next line follows, empty
  /// if there is none.
  void blame_unsigned(Chain& chain, std::string_view next_prev);
  void close(const std::string& source, Chain& chain, VerifyReport& report);

  const TrustedKeys& trusted_;
  std::string expected_;
  std::map<std::string, Chain> chains_;
  std::vector<ChainProblem> problems_;
  std::vector<ChainProblem> notes_;
  std::string refusal_;  ///< of the last checkpoint that proved nothing
};

}  // namespace bops
