// What the collectors of all exact engines have in common: the engine writes a block profile into
// the run's directory, and the counts are what that profile holds.
#pragma once

#include <string>
#include <vector>

#include "collectors/exact/block_counts.hpp"
#include "model/collector.hpp"

extern "C" {
#include "collectors/exact/program_file.h"
}

namespace bops::exact {

/// A collector whose prepare() calls profile_in(), program_of() and create_profile(), in this
/// order, and puts its engine in front of the program.
class ProfileCollector : public Collector {
 public:
  [[nodiscard]] Result<void> configure(const CountingOptions& options) override;
  [[nodiscard]] Result<void> on_thread_event(const ThreadEvent&) override { return {}; }
  [[nodiscard]] Result<RunCounts> snapshot() override { return count(Detail::kNoFunctions); }
  [[nodiscard]] Result<RunCounts> collect() override;
  [[nodiscard]] Result<RunCounts> recover(const RunDirectory& directory) override;

 protected:
  /// `engine` names it on the command line, in the profile and in every thread's row.
  explicit ProfileCollector(std::string engine) : engine_(std::move(engine)), counter_(engine_) {}

  /// From now on, the counts are those of the run in `directory`.
  void profile_in(const RunDirectory& directory);
  [[nodiscard]] const std::string& profile_path() const { return profile_path_; }
  [[nodiscard]] Result<void> create_profile(const RunDirectory& directory) const;
  /// What execve would run for `path`. Its kind is PROGRAM_COUNTABLE, or PROGRAM_INVALID: then the
  /// plan is left as it is, for execve to say what is wrong. Anything else is refused.
  [[nodiscard]] Result<std::unique_ptr<program_file>> program_of(const std::string& path) const;
  /// Why there is a profile, but nothing in it.
  [[nodiscard]] virtual Error not_started() const = 0;

 private:
  /// Functions need the symbols of every image: too much for a snapshot.
  enum class Detail : std::uint8_t { kNoFunctions, kFunctions };
  [[nodiscard]] Result<RunCounts> count(Detail detail);

  std::string engine_;
  std::vector<std::string> instruments_;
  std::string profile_path_;
  BlockCounter counter_;  ///< of one run
};

/// argv as the kernel hands it to `program` where `arguments` were given to execve: a script's
/// interpreters and the script replace argv[0].
[[nodiscard]] std::vector<std::string> arguments_of(const program_file& program,
                                                    std::vector<std::string> arguments);

}  // namespace bops::exact
