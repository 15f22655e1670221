// Makes names from outside (commands, paths, thread names, messages) safe to show and to store.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace bops {

/// Valid UTF-8 for any bytes, so that JSON can hold them without loss: every byte that is not part
/// of valid UTF-8 becomes the four characters \xNN (lower-case hex), and so does the backslash of
/// bytes that already look like that (\x41 becomes \x5cx41).
[[nodiscard]] std::string utf8_text(std::string_view bytes);

/// The bytes that utf8_text() or printable() made `text` from.
[[nodiscard]] std::string bytes_of_text(std::string_view text);

/// As utf8_text(), and every byte of a character that a terminal could obey or that hides or
/// reorders text (control characters, bidirectional overrides, ...) becomes \xNN, too. One line.
[[nodiscard]] std::string printable(std::string_view bytes);

/// One word for a POSIX shell: as it is where that is safe, else 'in quotes', else $'with \xNN'
/// (bash, ksh, zsh; POSIX since 2024). As safe for a terminal as printable().
[[nodiscard]] std::string shell_quoted(std::string_view argument);

/// The words of a command line, quoted and separated by spaces.
[[nodiscard]] std::string shell_quoted(std::span<const std::string> arguments);

/// Columns that valid UTF-8 takes on a terminal, taking each character for one column wide.
[[nodiscard]] std::size_t display_width(std::string_view text);

}  // namespace bops
