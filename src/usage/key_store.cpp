#include "usage/key_store.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "platform/files.hpp"
#include "platform/unique_fd.hpp"
#include "usage/records_files.hpp"

namespace bops {
namespace {

void make_directory_of(const std::string& file) {
  const auto directory = std::filesystem::path(file).parent_path();
  std::error_code ignored;  // opening the file will tell
  if (!directory.empty()) std::filesystem::create_directories(directory, ignored);
}

}  // namespace

std::string default_key_file() {
  return configuration_directory() + "/usage_key.pem";
}
std::string default_trusted_file() {
  return configuration_directory() + "/trusted_keys";
}

Result<TrustedKey> make_key(const std::string& key_file, const std::string& trusted_file,
                            UtcNs from, UtcNs to, const std::string& origin) {
  make_directory_of(key_file);
  make_directory_of(trusted_file);
  const UniqueFd trusted(
      ::open(trusted_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!trusted)
    return failure("cannot write the trusted keys to " + trusted_file + ": " + std::strerror(errno),
                   "name a file that you can write to: --trusted FILE");
  const SigningKey key = SigningKey::generate();
  if (auto written = key.write(key_file); !written) return tl::unexpected(written.error());
  TrustedKey made{key.public_key(), from, to, origin};
  if (auto added = write_all(trusted.get(), trusted_key_line(made, "") + "\n", trusted_file);
      !added)
    return tl::unexpected(added.error());
  return made;
}

Result<SigningKey> signing_key(const std::string& key_file, const std::string& origin) {
  const std::string file = key_file.empty() ? default_key_file() : key_file;
  if (!key_file.empty() || is_there(file)) return SigningKey::read(file);
  // Ranks of one job start at the same time: one of them makes the key.
  make_directory_of(file);
  const std::string lock_file = file + ".lock";
  const UniqueFd lock(::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0)
    return failure(
        "cannot make a key in " + configuration_directory() + ": " + std::strerror(errno),
        "make one elsewhere, and name it: bops usage keygen -o FILE, --key FILE");
  if (!is_there(file)) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const UtcNs from = hour_of(std::chrono::nanoseconds(now).count());
    if (auto made = make_key(file, default_trusted_file(), from, TrustedKey::kNoEnd, origin); !made)
      return tl::unexpected(made.error());
  }
  return SigningKey::read(file);
}

}  // namespace bops
