// The directory in which a run keeps its counts until its report is written.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/collector.hpp"

namespace bops {

/// What must be known of a run to make its record after bops has died: manifest.json.
struct RunManifest {
  std::string started;  ///< RFC 3339, UTC
  std::uint64_t start_mono_ns = 0;
  std::string collector;
  std::string gpu_collector;                        ///< empty: GPUs are not counted
  std::optional<std::vector<std::string>> command;  ///< absent under --redact
  std::map<std::string, std::string> labels;
  pid_t bops_pid = 0;
  std::uint64_t bops_start_ticks = 0;  ///< /proc/PID/stat field 22: with the pid, one process
};

/// Owner of a run's directory: removes it, unless it was told to keep it.
class OwnedRunDirectory {
 public:
  /// Makes a new directory (mode 0700) in the state directory, see platform/state_directory.hpp.
  [[nodiscard]] static Result<OwnedRunDirectory> create();

  OwnedRunDirectory(OwnedRunDirectory&& other) noexcept;
  OwnedRunDirectory& operator=(OwnedRunDirectory&&) = delete;
  ~OwnedRunDirectory();

  [[nodiscard]] const RunDirectory& directory() const { return directory_; }
  /// The run's name, as `bops recover` takes it.
  [[nodiscard]] std::string name() const;
  /// Leaves the directory where it is: its counts are not in any record yet.
  void keep() { owned_ = false; }

 private:
  explicit OwnedRunDirectory(RunDirectory directory) : directory_(std::move(directory)) {}
  RunDirectory directory_;
  bool owned_ = true;
};

[[nodiscard]] Result<void> write_manifest(const RunDirectory& directory,
                                          const RunManifest& manifest);
[[nodiscard]] Result<RunManifest> read_manifest(const std::string& directory_path);

/// Names of the runs in the state directory, oldest first.
[[nodiscard]] Result<std::vector<std::string>> list_runs();

/// Removes a run's directory with all in it.
void remove_run(const std::string& directory_path);

}  // namespace bops
