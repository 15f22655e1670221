#include "workloads/program/builds.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace bops::workloads {
namespace {

constexpr std::string_view kPrefix = "bops-workload-";

std::filesystem::path folder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "workloads";
}

}  // namespace

std::vector<std::string> built_builds() {
  std::vector<std::string> builds;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    // The counted builds print tallies and are not for measuring.
    if (name.starts_with(kPrefix) && !name.ends_with("-counted"))
      builds.push_back(name.substr(kPrefix.size()));
  }
  std::sort(builds.begin(), builds.end());
  return builds;
}

std::string program_of_build(const std::string& build) {
  return (folder() / (std::string(kPrefix) + build)).string();
}

}  // namespace bops::workloads
