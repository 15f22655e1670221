#include "collectors/exact/native/engine/process_maps.hpp"

#include <asm/unistd.h>
#include <fcntl.h>

namespace bops::native {
namespace {

Word read_number(const char*& text, Word base) {
  Word number = 0;
  for (;; ++text) {
    Word digit = 0;
    if (*text >= '0' && *text <= '9')
      digit = static_cast<Word>(*text) - '0';
    else if (*text >= 'a' && *text <= 'f')
      digit = static_cast<Word>(*text) - 'a' + 10;
    else
      return number;
    if (digit >= base) return number;
    number = number * base + digit;
  }
}

/// "START-END rwxp OFFSET MAJOR:MINOR INODE   PATH"
void parse(const char* text, MemoryMapping& mapping) {
  constexpr Word kHexadecimal = 16, kDecimal = 10;
  mapping.start = read_number(text, kHexadecimal);
  ++text;
  mapping.end = read_number(text, kHexadecimal);
  ++text;
  mapping.readable = text[0] == 'r';
  mapping.writable = text[1] == 'w';
  mapping.executable = text[2] == 'x';
  text += 5;
  mapping.file_offset = read_number(text, kHexadecimal);
  ++text;
  const Word major_number = read_number(text, kHexadecimal);
  ++text;
  const Word minor_number = read_number(text, kHexadecimal);
  ++text;
  mapping.device = device_number(major_number, minor_number);
  mapping.inode = read_number(text, kDecimal);
  while (*text == ' ') ++text;
  mapping.path = text;
}

}  // namespace

ProcessMaps::ProcessMaps()
    : file_(
          static_cast<int>(kernel_call(__NR_open, word("/proc/self/maps"), O_RDONLY | O_CLOEXEC))) {
}

ProcessMaps::~ProcessMaps() {
  if (file_ >= 0) kernel_call(__NR_close, static_cast<Word>(file_));
}

/// The next line, NUL-terminated; null at the end. The kernel writes whole lines, but more of them
/// than fit.
char* ProcessMaps::next_line() {
  for (;;) {
    for (std::size_t i = begin_; i < end_; ++i) {
      if (buffer_[i] != '\n') continue;
      char* const line = buffer_ + begin_;
      buffer_[i] = '\0';
      begin_ = i + 1;
      return line;
    }
    end_ -= begin_;
    for (std::size_t i = 0; i < end_; ++i) buffer_[i] = buffer_[begin_ + i];
    begin_ = 0;
    const std::int64_t size = kernel_call(__NR_read, static_cast<Word>(file_), word(buffer_ + end_),
                                          sizeof buffer_ - end_);
    if (size <= 0) return nullptr;
    end_ += static_cast<std::size_t>(size);
  }
}

bool ProcessMaps::next(MemoryMapping& mapping) {
  if (!is_readable()) return false;
  const char* const line = next_line();
  if (!line) return false;
  parse(line, mapping);
  return true;
}

}  // namespace bops::native
