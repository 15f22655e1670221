#include "usage/line_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace bops {
namespace {

constexpr std::size_t kBlockSize = std::size_t{256} << 10U;

}  // namespace

LineReader::LineReader(UniqueFd fd, std::string path, std::size_t limit)
    : fd_(std::move(fd)), path_(std::move(path)), limit_(limit) {}

Result<LineReader> LineReader::open(const std::string& path, std::size_t limit) {
  UniqueFd fd(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                          : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd)
    return failure("cannot open " + path + ": " + std::strerror(errno), "check its path and mode");
  return LineReader(std::move(fd), path, limit);
}

Result<void> LineReader::seek(std::uint64_t offset, std::uint64_t number) {
  if (::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
    return failure("cannot seek in " + path_ + ": " + std::strerror(errno));
  buffer_.clear();
  begin_ = 0;
  offset_ = offset;
  number_ = number - 1;
  return {};
}

Result<bool> LineReader::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t kept = buffer_.size();
  buffer_.resize(kept + kBlockSize);
  ssize_t got = 0;
  do {
    got = ::read(fd_.get(), buffer_.data() + kept, kBlockSize);
  } while (got < 0 && errno == EINTR);
  buffer_.resize(kept + static_cast<std::size_t>(got > 0 ? got : 0));
  if (got < 0) return failure("cannot read " + path_ + ": " + std::strerror(errno));
  return got > 0;
}

Result<bool> LineReader::next(Line& line) {
  line = {{}, ++number_, offset_, offset_, false, true};
  std::size_t searched = 0;   // bytes of the line that have no newline
  std::uint64_t dropped = 0;  // bytes of a line that is too long, no longer in the buffer
  for (;;) {
    const std::size_t found = buffer_.find('\n', begin_ + searched);
    const std::size_t size = (found == std::string::npos ? buffer_.size() : found) - begin_;
    if (found == std::string::npos && size > limit_ + 1) {
      // Its beginning is kept for a message, the rest thrown away.
      dropped += size - limit_ - 1;
      buffer_.resize(begin_ + limit_ + 1);
      line.too_long = true;
    }
    if (found != std::string::npos) {
      line.too_long |= size > limit_;
      line.text = std::string_view(buffer_).substr(begin_, std::min(size, limit_));
      line.end = offset_ += size + 1 + dropped;
      begin_ = found + 1;
      return true;
    }
    searched = std::min(size, limit_ + 1);
    const auto more = fill();
    if (!more) return tl::unexpected(more.error());
    if (*more) continue;
    const std::size_t left = buffer_.size() - begin_;
    if (left == 0) return false;
    line.too_long |= left > limit_;
    line.text = std::string_view(buffer_).substr(begin_, std::min(left, limit_));
    line.complete = false;
    line.end = offset_ += left + dropped;
    begin_ = buffer_.size();
    return true;
  }
}

Result<void> for_each_line(const std::string& path, std::size_t limit,
                           const std::function<Result<void>(const Line&)>& visit) {
  auto reader = LineReader::open(path, limit);
  if (!reader) return tl::unexpected(reader.error());
  for (Line line{};;) {
    const auto more = reader->next(line);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
    if (auto seen = visit(line); !seen) return seen;
  }
}

}  // namespace bops
