#include "platform/state_directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

namespace bops {
namespace {

/// Makes `path` if it is missing, and checks that nobody else could have put anything there.
Result<void> ensure_private_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return failure("cannot make the directory " + path + ": " + std::strerror(errno),
                   "set BOPS_STATE_DIR to a directory that you can write to");
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0)
    return failure("cannot look at " + path + ": " + std::strerror(errno));
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return failure(path + " is not a directory that only you can write to",
                   "set BOPS_STATE_DIR to one that is");
  return {};
}

std::vector<std::string> candidate_state_directories() {
  if (const char* chosen = std::getenv("BOPS_STATE_DIR"); chosen != nullptr && *chosen != '\0')
    return {std::filesystem::absolute(chosen).string()};
  const std::string name = "bops-" + std::to_string(::geteuid());
  const char* temporary = std::getenv("TMPDIR");
  return {"/dev/shm/" + name,
          std::string(temporary != nullptr && *temporary == '/' ? temporary : "/tmp") + "/" + name};
}

}  // namespace

Result<std::string> state_directory() {
  Result<void> ensured;
  for (const std::string& candidate : candidate_state_directories()) {
    ensured = ensure_private_directory(candidate);
    if (ensured) return candidate;
  }
  return tl::unexpected(ensured.error());
}

}  // namespace bops
