#include "usage/records_files.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace bops {
namespace {

Result<std::vector<std::string>> files_with(const std::string& directory,
                                            const std::string& suffix) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().string().ends_with(suffix)) files.push_back(entry->path().string());
  if (error) return failure("cannot read the directory " + directory + ": " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

bool is_directory(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

bool is_there(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

Result<std::vector<std::string>> records_files(const std::string& path) {
  if (path == "-") return std::vector<std::string>{path};
  if (!is_there(path)) return failure("there is no " + path, "check its path");
  if (!is_directory(path)) return std::vector<std::string>{path};
  return files_with(path, kRecordsSuffix);
}

Result<std::vector<std::string>> checkpoints_files(const std::string& directory) {
  return files_with(directory, kCheckpointsSuffix);
}

std::string checkpoints_beside(const std::string& records_file) {
  return records_file + kCheckpointsSuffix;
}

std::string run_of_source(const std::string& source) {
  return source.substr(source.rfind('/') + 1);
}

std::string configuration_directory() {
  const char* configured = std::getenv("XDG_CONFIG_HOME");
  if (configured != nullptr && *configured == '/') return std::string(configured) + "/bops";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr && *home != '\0' ? home : "/root") + "/.config/bops";
}

}  // namespace bops
