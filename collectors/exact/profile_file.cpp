#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "collectors/exact/block_profile.hpp"
#include "platform/unique_fd.hpp"

namespace bops::exact {
namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
/// Sparse, and mapped without reserving memory: the size costs nothing.
constexpr std::uint64_t kMaxCapacity = 16384 * kMebibyte;
constexpr std::uint64_t kMinCapacity = 4 * kMebibyte;

std::uint64_t soft_limit(int resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kMaxCapacity;
  return limit.rlim_cur;
}

/// What fits the limits that the target inherits: on the size of files, and of address spaces, of
/// which at most a quarter is taken.
std::uint64_t capacity_within_limits() {
  const std::uint64_t capacity =
      std::min({kMaxCapacity, soft_limit(RLIMIT_FSIZE),
                soft_limit(RLIMIT_AS) == kMaxCapacity ? kMaxCapacity : soft_limit(RLIMIT_AS) / 4});
  return capacity / BOPS_PROFILE_EXTENT_SIZE * BOPS_PROFILE_EXTENT_SIZE;
}

}  // namespace

Result<void> create_block_profile(const std::string& path, const std::string& engine,
                                  std::uint64_t start_mono_ns) {
  const std::uint64_t capacity = capacity_within_limits();
  if (capacity < kMinCapacity)
    return failure("the limits on file size or address space leave no room for a block profile",
                   "raise them: ulimit -f unlimited; ulimit -v unlimited");
  bops_profile_header header{};
  std::memcpy(header.magic, BOPS_PROFILE_MAGIC, sizeof header.magic);
  header.version = BOPS_PROFILE_VERSION;
  header.extent_size = BOPS_PROFILE_EXTENT_SIZE;
  header.capacity = capacity;
  header.start_mono_ns = start_mono_ns;
  std::strncpy(header.engine, engine.c_str(), sizeof header.engine - 1);
  header.used = BOPS_PROFILE_EXTENT_SIZE;

  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(capacity)) != 0 ||
      ::pwrite(fd.get(), &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header))
    return failure("cannot create the block profile " + path + ": " + std::strerror(errno),
                   "set BOPS_STATE_DIR to a directory with free space");
  return {};
}

}  // namespace bops::exact
