// A report that goes to what is no regular file: a FIFO, a terminal, a socket, a descriptor of
// ours.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "model/error.hpp"
#include "platform/unique_fd.hpp"

namespace bops {

/// One open descriptor for all that is written: a reader of a FIFO sees the end of file as soon as
/// its last writer closes it. A reader that goes away is an error of the write, and no SIGPIPE but
/// where the descriptor is borrowed.
class ReportStream {
 public:
  /// Opens `path` if it is there and no regular file; an empty stream (is_open() is false) if it is
  /// not there or is one. For a FIFO without a reader it waits, as a shell does, and says so on
  /// stderr: to be called while signals still end bops. Also takes /dev/fd/N, /dev/stdout and
  /// /dev/stderr where they are sockets, which open(2) refuses.
  [[nodiscard]] static Result<ReportStream> open(const std::string& path);
  /// `fd` stays its owner's.
  [[nodiscard]] static ReportStream borrow(int fd, std::string name);

  ReportStream() = default;
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  /// Writes without waiting for the reader: what it does not take now goes out before what comes
  /// next. Fails if more than kMostPending bytes would wait, or if the reader is gone; `text` is
  /// then not written, not even later.
  [[nodiscard]] Result<void> offer(std::string_view text);
  /// Writes what is pending and `text`, however long the reader takes.
  [[nodiscard]] Result<void> finish(std::string_view text);

  static constexpr std::size_t kMostPending = std::size_t{64} << 20U;  // bytes

 private:
  [[nodiscard]] Result<void> drain(bool waits);
  [[nodiscard]] bool can_write(bool waits) const;
  [[nodiscard]] long write_some(std::string_view text) const;
  void take_kind();

  UniqueFd owned_;
  int fd_ = -1;
  bool is_regular_ = false;
  bool is_socket_ = false;
  std::string name_;
  std::string pending_;
};

}  // namespace bops
