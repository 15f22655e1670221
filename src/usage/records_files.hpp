// Where records and their checkpoints lie in the file system.
#pragma once

#include <string>
#include <vector>

#include "model/error.hpp"

namespace bops {

inline constexpr const char* kRecordsSuffix = ".jsonl";
inline constexpr const char* kCheckpointsSuffix = ".checkpoints";

/// The files of records that a path names: itself, or those of a directory that end in .jsonl, in
/// the order of their names.
[[nodiscard]] Result<std::vector<std::string>> records_files(const std::string& path);

/// The files of checkpoints of a directory, in the order of their names.
[[nodiscard]] Result<std::vector<std::string>> checkpoints_files(const std::string& directory);

/// The file of checkpoints beside a file of records: FILE.checkpoints.
[[nodiscard]] std::string checkpoints_beside(const std::string& records_file);

[[nodiscard]] bool is_directory(const std::string& path);
[[nodiscard]] bool is_there(const std::string& path);

/// The uuid of the run of a source, its last part.
[[nodiscard]] std::string run_of_source(const std::string& source);

/// $XDG_CONFIG_HOME/bops, or ~/.config/bops: where keys are without an option that says where.
[[nodiscard]] std::string configuration_directory();

}  // namespace bops
