#include "cli/report_stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <ctime>
#include <iostream>
#include <optional>
#include <utility>

#include "platform/files.hpp"
#include "report/escape.hpp"

namespace bops {
namespace {

constexpr int kFlags = O_WRONLY | O_CLOEXEC | O_NOCTTY;

/// Holds back the SIGPIPE of a write, and takes it away.
class PipeSignalHold {
 public:
  PipeSignalHold() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  PipeSignalHold(const PipeSignalHold&) = delete;
  PipeSignalHold& operator=(const PipeSignalHold&) = delete;
  ~PipeSignalHold() {
    const int error = errno;
    const timespec at_once{};
    while (!was_pending_ && ::sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

/// The N of /dev/fd/N and its like.
std::optional<int> descriptor_named(std::string_view path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view place : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(place)) continue;
    const std::string_view number = path.substr(place.size());
    int fd = -1;
    const auto [end, error] = std::from_chars(number.begin(), number.end(), fd);
    if (error == std::errc{} && end == number.end() && fd >= 0) return fd;
  }
  return std::nullopt;
}

/// -1 with errno if it cannot be opened.
UniqueFd open_special(const std::string& path, mode_t kind) {
  if (S_ISSOCK(kind)) {
    const auto fd = descriptor_named(path);
    if (!fd) errno = ENXIO;
    return UniqueFd(fd ? ::fcntl(*fd, F_DUPFD_CLOEXEC, 0) : -1);
  }
  UniqueFd fd(::open(path.c_str(), kFlags | O_NONBLOCK));
  if (fd || errno != ENXIO || !S_ISFIFO(kind)) return fd;
  std::cerr << "bops: waiting for a reader of " << printable(path) << std::endl;
  do {
    fd.reset(::open(path.c_str(), kFlags));
  } while (!fd && errno == EINTR);
  if (fd) ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);  // this opening of the file is ours alone
  return fd;
}

}  // namespace

Result<ReportStream> ReportStream::open(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0 || S_ISREG(file.st_mode) || S_ISDIR(file.st_mode))
    return ReportStream();
  ReportStream stream;
  stream.owned_ = open_special(path, file.st_mode);
  if (!stream.owned_) return tl::unexpected(io_error("open", path, errno));
  stream.fd_ = stream.owned_.get();
  stream.name_ = path;
  stream.take_kind();
  return stream;
}

ReportStream ReportStream::borrow(int fd, std::string name) {
  ReportStream stream;
  stream.fd_ = fd;
  stream.name_ = std::move(name);
  stream.take_kind();
  return stream;
}

void ReportStream::take_kind() {
  struct stat file {};
  if (::fstat(fd_, &file) != 0) return;
  is_regular_ = S_ISREG(file.st_mode);
  is_socket_ = S_ISSOCK(file.st_mode);
}

/// With an error, or a reader that is gone, too: the write then tells.
bool ReportStream::can_write(bool waits) const {
  if (is_regular_) return true;
  pollfd writable{fd_, POLLOUT, 0};
  int ready = 0;
  do {
    ready = ::poll(&writable, 1, waits ? -1 : 0);
  } while (ready < 0 && errno == EINTR);
  return ready != 0;
}

/// A pipe that poll(2) calls writable takes PIPE_BUF bytes without waiting, also one that others
/// have set to wait (pipe(7); pipe_poll() of Linux asks for a free page).
long ReportStream::write_some(std::string_view text) const {
  if (is_socket_)
    return ::send(fd_, text.data(), text.size(), MSG_DONTWAIT | (owned_ ? MSG_NOSIGNAL : 0));
  const std::size_t most = is_regular_ ? text.size() : std::size_t{PIPE_BUF};
  return ::write(fd_, text.data(), std::min(text.size(), most));
}

/// What is taken is taken, also where it fails.
Result<void> ReportStream::drain(bool waits) {
  std::optional<PipeSignalHold> hold;
  if (owned_) hold.emplace();  // standard output ends bops as it ends others
  std::string_view rest = pending_;
  Result<void> result;
  while (!rest.empty() && can_write(waits)) {
    const long taken = write_some(rest);
    if (taken < 0 && errno == EINTR) continue;
    if (taken < 0 && errno == EAGAIN && waits) continue;
    if (taken < 0 && errno == EAGAIN) break;
    if (taken <= 0) {
      result = tl::unexpected(io_error("write", name_, taken < 0 ? errno : ENOSPC));
      break;
    }
    rest.remove_prefix(static_cast<std::size_t>(taken));
  }
  pending_.erase(0, pending_.size() - rest.size());
  return result;
}

Result<void> ReportStream::offer(std::string_view text) {
  if (auto drained = drain(false); !drained) return drained;
  if (pending_.size() + text.size() > kMostPending)
    return failure("cannot write " + name_ + ": its reader is too slow",
                   "read faster, write to a file, or give a longer --interval");
  pending_ += text;
  return drain(false);
}

Result<void> ReportStream::finish(std::string_view text) {
  pending_ += text;
  return drain(true);
}

}  // namespace bops
