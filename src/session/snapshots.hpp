// The state of a run, kept in its directory while it goes on, for collectors whose counts end with
// bops.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "launch/target_process.hpp"
#include "model/run_record.hpp"
#include "platform/unique_fd.hpp"

namespace bops {

/// Writes a record about once a second, and less often where that takes more than a fiftieth of
/// the time. What cannot be written is left as it was.
class Snapshots {
 public:
  /// The record so far; nothing if there is none.
  using State = std::function<std::optional<RunRecord>()>;
  [[nodiscard]] static Result<Snapshots> open(const std::string& directory_path, State state);

  /// For TargetProcess::wait(); this may not be moved or end meanwhile.
  [[nodiscard]] Watched watched();

 private:
  Snapshots(UniqueFd timer, std::string path, State state)
      : timer_(std::move(timer)), path_(std::move(path)), state_(std::move(state)) {}
  void take();

  UniqueFd timer_;
  std::string path_;
  State state_;
};

/// Writes the final record of a run there: it could not be written where it should have been.
[[nodiscard]] Result<void> keep_record(const std::string& directory_path, const RunRecord& record);
/// What keep_record() wrote; nothing if it wrote nothing.
[[nodiscard]] Result<std::optional<RunRecord>> kept_record(const std::string& directory_path);

/// The last snapshot of a run whose bops died; nothing if there is none.
[[nodiscard]] Result<std::optional<RunRecord>> last_snapshot(const std::string& directory_path);

}  // namespace bops
