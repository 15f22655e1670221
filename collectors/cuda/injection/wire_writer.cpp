#include "collectors/cuda/injection/wire_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>

namespace bops::cuda::injection {
namespace {

constexpr std::size_t kLongestText = 4096;

std::uint64_t mono_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

bool write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Record::Record(wire::RecordType type) {
  u32(static_cast<std::uint32_t>(type));
  u32(0);  // the size, once it is known
}

Record& Record::u32(std::uint32_t value) {
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  return *this;
}

Record& Record::u64(std::uint64_t value) {
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  return *this;
}

Record& Record::f64(double value) {
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  return *this;
}

Record& Record::text(std::string_view value) {
  value = value.substr(0, kLongestText);
  u32(static_cast<std::uint32_t>(value.size()));
  bytes_.append(value);
  return *this;
}

std::string_view Record::bytes() {
  const auto size = static_cast<std::uint32_t>(bytes_.size() - sizeof(wire::RecordHead));
  std::memcpy(bytes_.data() + sizeof(wire::RecordType), &size, sizeof size);
  return bytes_;
}

bool WireWriter::create(const std::string& directory) {
  const std::uint64_t now = mono_ns();
  path_ =
      directory + "/" + std::to_string(::getpid()) + "-" + std::to_string(now) + wire::kFileSuffix;
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    path_.clear();
    return false;
  }
  ::close(fd);
  char executable[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", executable, sizeof executable);
  pending_.assign(wire::kMagic.data(), wire::kMagic.size());
  add(Record(wire::RecordType::kProcess)
          .u32(static_cast<std::uint32_t>(::getpid()))
          .u32(static_cast<std::uint32_t>(::getppid()))
          .u64(now)
          .text({executable, length > 0 ? static_cast<std::size_t>(length) : 0}));
  flush();
  return true;
}

void WireWriter::add(Record record) {
  if (!path_.empty()) pending_ += record.bytes();
}

void WireWriter::flush() {
  if (path_.empty() || pending_.empty()) return;
  const int saved = errno;
  const int fd = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  struct stat before {};
  if (fd < 0 || ::fstat(fd, &before) != 0 || !write_whole(fd, pending_)) {
    // Half a record would make the next ones unreadable.
    if (fd >= 0) (void)!::ftruncate(fd, before.st_size);
    path_.clear();
  }
  if (fd >= 0) ::close(fd);
  pending_.clear();
  errno = saved;
}

void WireWriter::abandon() {
  path_.clear();
  pending_.clear();
}

}  // namespace bops::cuda::injection
