#include "report/escape.hpp"

#include <algorithm>
#include <array>

namespace bops {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  ///< bytes; 0 if the text does not start with valid UTF-8
};

unsigned char byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

/// Decodes the first character of a text that is not empty. Well-formed sequences: Unicode
/// Standard, table 3-7 (no overlong forms, no surrogates, at most U+10FFFF).
CodePoint first_code_point(std::string_view text) {
  const unsigned char lead = byte_at(text, 0);
  if (lead < 0x80) return {lead, 1};
  std::size_t length = 0;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  if (lead >= 0xe0 && lead <= 0xef) length = 3;
  if (lead >= 0xf0 && lead <= 0xf4) length = 4;
  if (length == 0 || text.size() < length) return {};
  char32_t value = lead & (0xffU >> (length + 1));
  for (std::size_t index = 1; index < length; ++index) {
    if ((byte_at(text, index) & 0xc0U) != 0x80) return {};
    value = (value << 6U) | (byte_at(text, index) & 0x3fU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (overlong || surrogate || value > 0x10ffff) return {};
  return {value, length};
}

struct Range {
  char32_t first;
  char32_t last;
};

/// Controls, and characters of the Unicode categories Cf, Zl and Zp that hide or reorder text.
constexpr std::array<Range, 13> kUnprintable{{{0x00, 0x1f},
                                              {0x7f, 0x9f},
                                              {0xad, 0xad},
                                              {0x61c, 0x61c},
                                              {0x180e, 0x180e},
                                              {0x200b, 0x200f},
                                              {0x2028, 0x202e},
                                              {0x2060, 0x206f},
                                              {0xfeff, 0xfeff},
                                              {0xfff9, 0xfffb},
                                              {0xfdd0, 0xfdef},
                                              {0xe0000, 0xe0fff},
                                              {0x10fffe, 0x10ffff}}};

bool is_printable(char32_t value) {
  return std::none_of(kUnprintable.begin(), kUnprintable.end(), [value](const Range& range) {
    return value >= range.first && value <= range.last;
  });
}

constexpr std::string_view kHexDigits = "0123456789abcdef";

void append_escaped(std::string& text, std::string_view bytes) {
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += "\\x";
    text += kHexDigits[value >> 4U];
    text += kHexDigits[value & 0xfU];
  }
}

constexpr std::size_t kEscapeLength = 4;

bool starts_with_escape(std::string_view text) {
  return text.size() >= kEscapeLength && text.starts_with("\\x") &&
         kHexDigits.find(text[2]) != std::string_view::npos &&
         kHexDigits.find(text[3]) != std::string_view::npos;
}

template <class Keep>
std::string escaped(std::string_view bytes, Keep keep) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const CodePoint point = first_code_point(bytes);
    const std::size_t length = std::max<std::size_t>(point.length, 1);
    const std::string_view character = bytes.substr(0, length);
    if (point.length != 0 && keep(point.value) && !starts_with_escape(bytes))
      text += character;
    else
      append_escaped(text, character);
    bytes.remove_prefix(length);
  }
  return text;
}

bool is_shell_safe(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') ||
         std::string_view("_@%+=:,./-").find(character) != std::string_view::npos;
}

std::string single_quoted(std::string_view argument) {
  std::string text = "'";
  for (const char character : argument) {
    if (character == '\'')
      text += R"('\'')";
    else
      text += character;
  }
  return text + '\'';
}

std::string dollar_quoted(std::string_view argument) {
  std::string text = "$'";
  while (!argument.empty()) {
    const CodePoint point = first_code_point(argument);
    const std::size_t length = std::max<std::size_t>(point.length, 1);
    const std::string_view character = argument.substr(0, length);
    if (point.length == 0 || !is_printable(point.value)) {
      append_escaped(text, character);
    } else {
      if (point.value == U'\'' || point.value == U'\\') text += '\\';
      text += character;
    }
    argument.remove_prefix(length);
  }
  return text + '\'';
}

bool all_printable(std::string_view bytes) {
  while (!bytes.empty()) {
    const CodePoint point = first_code_point(bytes);
    if (point.length == 0 || !is_printable(point.value)) return false;
    bytes.remove_prefix(point.length);
  }
  return true;
}

}  // namespace

std::string utf8_text(std::string_view bytes) {
  return escaped(bytes, [](char32_t) { return true; });
}

std::string bytes_of_text(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    if (!starts_with_escape(text)) {
      bytes += text.front();
      text.remove_prefix(1);
      continue;
    }
    const std::size_t value = kHexDigits.find(text[2]) * 16 + kHexDigits.find(text[3]);
    bytes += static_cast<char>(static_cast<unsigned char>(value));
    text.remove_prefix(kEscapeLength);
  }
  return bytes;
}

std::string printable(std::string_view bytes) {
  return escaped(bytes, is_printable);
}

std::string shell_quoted(std::string_view argument) {
  if (!argument.empty() && std::all_of(argument.begin(), argument.end(), is_shell_safe))
    return std::string(argument);
  return all_printable(argument) ? single_quoted(argument) : dollar_quoted(argument);
}

std::string shell_quoted(std::span<const std::string> arguments) {
  std::string text;
  for (const std::string& argument : arguments) {
    if (!text.empty()) text += ' ';
    text += shell_quoted(std::string_view(argument));
  }
  return text;
}

std::size_t display_width(std::string_view text) {
  const auto is_continuation = [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80;
  };
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_continuation));
}

}  // namespace bops
