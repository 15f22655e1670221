#include "usage/growing_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "platform/files.hpp"

namespace bops {
namespace {

constexpr mode_t kMode = 0600;  // counts tell what a user runs

tl::unexpected<Error> cannot(const std::string& what, const std::string& path) {
  const int error = errno;
  return failure("cannot " + what + " " + path + ": " + std::strerror(error),
                 error == ENOSPC || error == EDQUOT || error == EFBIG
                     ? "make room: what could not be written is written with the next interval"
                     : "name a file or directory that you can write to");
}

/// A new name is not on the disk before its directory is.
void sync_directory_of(const std::string& path) {
  auto directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) directory = ".";
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) (void)::fsync(fd.get());
}

}  // namespace

Result<GrowingFile> GrowingFile::open(const std::string& path) {
  GrowingFile file;
  file.path_ = path;
  file.fd_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, kMode));
  if (!file.fd_) return cannot("write usage records to", path);
  struct stat status {};
  if (::fstat(file.fd_.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return failure(path + " is not a regular file", "usage records go to a file or a directory");
  if (::flock(file.fd_.get(), LOCK_EX | LOCK_NB) != 0)
    return failure("another bops writes to " + path,
                   "name a directory: each run then writes a file of its own");
  if (auto found = file.find_end(static_cast<std::uint64_t>(status.st_size)); !found)
    return tl::unexpected(found.error());
  sync_directory_of(path);
  return file;
}

Result<void> GrowingFile::append(const std::string& text) {
  // What a failure has left is taken off again, at the latest now.
  if (auto whole = cut_off(); !whole) return whole;
  if (::lseek(fd_.get(), static_cast<off_t>(size_), SEEK_SET) < 0) return cannot("seek in", path_);
  auto written = write_all(fd_.get(), text, path_);
  if (written && ::fsync(fd_.get()) != 0) written = cannot("keep", path_);
  if (!written) {
    (void)cut_off();
    return written;
  }
  size_ += text.size();
  return {};
}

Result<void> GrowingFile::cut_off() {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return cannot("look at", path_);
  if (static_cast<std::uint64_t>(status.st_size) <= size_) return {};
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) return cannot("cut", path_);
  return {};
}

Result<void> GrowingFile::find_end(std::uint64_t size) {
  std::string block(4096, '\0');
  for (size_ = size; size_ > 0;) {
    const std::uint64_t begin = size_ > block.size() ? size_ - block.size() : 0;
    const ssize_t got = ::pread(fd_.get(), block.data(), static_cast<std::size_t>(size_ - begin),
                                static_cast<off_t>(begin));
    if (got <= 0) return cannot("read", path_);
    const auto newline =
        std::string_view(block).substr(0, static_cast<std::size_t>(got)).rfind('\n');
    if (newline != std::string_view::npos) {
      size_ = begin + newline + 1;
      break;
    }
    size_ = begin;
  }
  return cut_off();
}

}  // namespace bops
