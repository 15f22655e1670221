#include "collectors/exact/native/engine_note.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "platform/files.hpp"
#include "platform/state_directory.hpp"

namespace bops::exact {
namespace {

constexpr std::string_view kName = "native-engine-works";

/// "" if it cannot be looked at.
std::string identity_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "";
  const auto time = [](const timespec& t) {
    return std::to_string(t.tv_sec) + "." + std::to_string(t.tv_nsec);
  };
  return path + " " + std::to_string(status.st_dev) + " " + std::to_string(status.st_ino) + " " +
         std::to_string(status.st_size) + " " + time(status.st_mtim) + " " + time(status.st_ctim) +
         "\n";
}

/// The lines of /proc/self/status about seccomp: mode and number of filters.
std::string seccomp_lines() {
  const auto status = read_file_whole("/proc/self/status");
  const auto begin = status ? status->find("\nSeccomp") : std::string::npos;
  if (begin == std::string::npos) return "";
  const auto last = status->rfind("\nSeccomp");
  return status->substr(begin + 1, status->find('\n', last + 1) - begin);
}

/// Everything that it depends on; "" if some of it cannot be found out.
std::string text_for(const std::vector<std::string>& files) {
  const auto boot = read_file_whole("/proc/sys/kernel/random/boot_id");
  const auto overcommit = read_file_whole("/proc/sys/vm/overcommit_memory");
  if (!boot || boot->empty() || !overcommit) return "";
  std::string text = *boot + *overcommit + seccomp_lines();
  for (const std::string& file : files) {
    const std::string identity = identity_of(file);
    if (identity.empty()) return "";
    text += identity;
  }
  return text;
}

}  // namespace

EngineNote::EngineNote(const std::vector<std::string>& files) : text_(text_for(files)) {
  if (const auto state = state_directory()) path_ = *state + "/" + std::string(kName);
}

bool EngineNote::is_there() const {
  if (path_.empty() || text_.empty()) return false;
  const auto written = read_file_whole(path_);
  return written && *written == text_;
}

void EngineNote::write() const {
  if (path_.empty() || text_.empty() || is_there()) return;
  // What is read while it is written, or is cut short, is no note.
  static_cast<void>(write_file_whole(path_, text_, 0600));
}

void EngineNote::remove() const {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace bops::exact
