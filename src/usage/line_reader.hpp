// Lines of a file of any size, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "model/error.hpp"
#include "platform/unique_fd.hpp"

namespace bops {

/// One line, without its newline. `text` is valid until the next call of next().
struct Line {
  std::string_view text;  ///< of a line that is too long only the beginning
  std::uint64_t number;   ///< from 1
  std::uint64_t offset;   ///< of its first byte
  std::uint64_t end;      ///< behind its newline
  bool too_long = false;  ///< longer than the limit
  bool complete = true;   ///< false: the file ends before a newline
};

class LineReader {
 public:
  /// Lines longer than `limit` bytes are passed over, in the memory of one. "-" is standard input.
  [[nodiscard]] static Result<LineReader> open(const std::string& path, std::size_t limit);
  /// Goes on at the start of a line.
  [[nodiscard]] Result<void> seek(std::uint64_t offset, std::uint64_t number);

  /// False at the end of the file.
  [[nodiscard]] Result<bool> next(Line& line);
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  LineReader(UniqueFd fd, std::string path, std::size_t limit);
  [[nodiscard]] Result<bool> fill();

  UniqueFd fd_;
  std::string path_;
  std::size_t limit_;
  std::string buffer_;        ///< read, and not yet given out
  std::size_t begin_ = 0;     ///< of what is left in it
  std::uint64_t offset_ = 0;  ///< in the file, of buffer_[begin_]
  std::uint64_t number_ = 0;
};

/// Ends with the file, or with the first failure of `visit`.
[[nodiscard]] Result<void> for_each_line(const std::string& path, std::size_t limit,
                                         const std::function<Result<void>(const Line&)>& visit);

}  // namespace bops
