/// Text without a C library.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_TEXT_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_TEXT_HPP

#include <cstddef>

#include "collectors/exact/native/engine/system_call.hpp"

namespace bops::native {

inline bool is_same_text(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) ++a, ++b;
  return *a == *b;
}

/// What follows `prefix` in `text`; null if it does not start so.
inline const char* after_prefix(const char* text, const char* prefix) {
  while (*prefix != '\0')
    if (*text++ != *prefix++) return nullptr;
  return text;
}

/// Where `suffix` begins at the end of `text`; null if it does not end so.
inline const char* find_suffix(const char* text, const char* suffix) {
  for (; *text != '\0'; ++text)
    if (is_same_text(text, suffix)) return text;
  return nullptr;
}

/// What the kernel adds to the path of a file that is no longer there.
inline constexpr const char* kDeleted = " (deleted)";

/// What follows the last slash.
inline const char* base_name(const char* path) {
  const char* name = path;
  for (; *path != '\0'; ++path)
    if (*path == '/') name = path + 1;
  return name;
}

/// Builds NUL-terminated text in a buffer; what does not fit is cut off.
class Text {
 public:
  Text(char* buffer, std::size_t size) : start_(buffer), at_(buffer), last_(buffer + size - 1) {
    *at_ = '\0';
  }
  Text& operator<<(const char* text) {
    while (*text != '\0' && at_ < last_) *at_++ = *text++;
    is_cut_ |= *text != '\0';
    *at_ = '\0';
    return *this;
  }
  Text& operator<<(Word number) { return append(number, 10); }
  Text& hexadecimal(Word number) { return append(number, 16); }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(at_ - start_); }
  [[nodiscard]] bool is_cut() const { return is_cut_; }

 private:
  Text& append(Word number, Word base) {
    char digits[24];
    char* first = digits + sizeof digits;
    *--first = '\0';
    do {
      *--first = "0123456789abcdef"[number % base];
      number /= base;
    } while (number != 0);
    return *this << first;
  }

  char* start_;
  char* at_;
  char* last_;
  bool is_cut_ = false;
};

}  // namespace bops::native

#endif
