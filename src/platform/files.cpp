#include "platform/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <system_error>

#include "platform/unique_fd.hpp"

namespace bops {
namespace {

std::string remedy_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return "free some space, or write to another file system";
    case EFBIG: return "raise the file size limit (ulimit -f)";
    case ENOENT:
    case ENOTDIR: return "check the path: its directory must exist";
    case EACCES:
    case EPERM:
    case EROFS: return "choose a place where you may write, or change its permissions";
    case EISDIR: return "name a file, not a directory";
    case EPIPE: return "keep the reading end open until bops has ended";
    case EMFILE:
    case ENFILE: return "raise the limit of open files (ulimit -n)";
    default: return "choose another file";
  }
}

tl::unexpected<Error> io_failure(const std::string& action, const std::string& name, int error) {
  return tl::unexpected(io_error(action, name, error));
}

}  // namespace

Error io_error(const std::string& action, const std::string& name, int error) {
  return {"cannot " + action + " " + name + ": " + std::generic_category().message(error),
          remedy_for(error)};
}

Result<void> write_all(int fd, std::string_view content, const std::string& name) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_failure("write", name, errno);
    // POSIX does not rule out 0, which would make this loop an endless one.
    if (written == 0) return io_failure("write", name, ENOSPC);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_file_whole(const std::string& path, std::string_view content, mode_t mode) {
  if (path == "-") return write_all(STDOUT_FILENO, content, "standard output");
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, mode));
  if (!fd) return io_failure("open", path, errno);
  if (auto written = write_all(fd.get(), content, path); !written) return written;
  // Linux frees the descriptor also where close(2) fails: it must not be closed again.
  if (::close(fd.release()) != 0 && errno != EINTR) return io_failure("close", path, errno);
  return {};
}

Result<std::string> read_file_whole(const std::string& path, std::uint64_t most) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return io_failure("open", path, errno);
  std::string content;
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_failure("read", path, errno);
    if (got == 0) return content;
    if (static_cast<std::uint64_t>(got) > most - content.size())
      return failure(path + " has more than " + std::to_string(most) + " bytes",
                     "name another file");
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Result<std::string> executable_directory() {
  std::array<char, PATH_MAX> buffer;
  const ssize_t length = ::readlink("/proc/self/exe", buffer.data(), buffer.size());
  if (length <= 0) return failure("cannot read /proc/self/exe", "mount procfs on /proc");
  const std::string_view path(buffer.data(), static_cast<std::size_t>(length));
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return std::string("/");
  return std::string(path.substr(0, slash));
}

}  // namespace bops
