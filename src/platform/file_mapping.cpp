#include "platform/file_mapping.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "platform/unique_fd.hpp"

namespace bops {
namespace {

tl::unexpected<Error> map_failure(const std::string& path, int error, std::string remedy) {
  return failure("cannot map " + path + ": " + std::generic_category().message(error),
                 std::move(remedy));
}

}  // namespace

Result<FileMapping> FileMapping::map(int fd, const std::string& path, std::size_t size,
                                     Access access) {
  if (size == 0) return FileMapping(nullptr, 0, access);  // mmap(2) refuses a length of 0
  const int protection = access == Access::kReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
  void* data = ::mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED)
    return map_failure(path, errno, "check the limit of address space (ulimit -v)");
  return FileMapping(static_cast<std::byte*>(data), size, access);
}

Result<FileMapping> FileMapping::open(const std::string& path, Access access) {
  const int mode = access == Access::kReadWrite ? O_RDWR : O_RDONLY;
  // O_NONBLOCK: a FIFO in the place of the file must not make us wait for its writer.
  const UniqueFd fd(::open(path.c_str(), mode | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return map_failure(path, errno, "check that the file exists and that you may read it");
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return map_failure(path, errno, {});
  if (!S_ISREG(status.st_mode))
    return failure("cannot map " + path + ": it is not a regular file", "name a regular file");
  return map(fd.get(), path, static_cast<std::size_t>(status.st_size), access);
}

Result<FileMapping> FileMapping::create(const std::string& path, std::size_t size) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return map_failure(path, errno, "choose a new file in a directory you may write");
  const int error = size == 0 ? 0 : ::posix_fallocate(fd.get(), 0, static_cast<off_t>(size));
  if (error != 0) {
    ::unlink(path.c_str());
    return map_failure(path, error, "free some space, or use another file system");
  }
  return map(fd.get(), path, size, Access::kReadWrite);
}

FileMapping::FileMapping(FileMapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      access_(other.access_) {}

FileMapping& FileMapping::operator=(FileMapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(access_, other.access_);
  return *this;
}

FileMapping::~FileMapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace bops
