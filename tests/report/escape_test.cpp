#include "report/escape.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace bops {
namespace {

bool has_control_byte(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char byte) {
    return static_cast<unsigned char>(byte) < 0x20 || byte == '\x7f';
  });
}

/// Bytes with every value, in orders that also make valid and broken UTF-8.
std::vector<std::string> odd_strings() {
  std::vector<std::string> strings{"",
                                   "\\",
                                   "\\x",
                                   "\\x4",
                                   "\\x41",
                                   "\\\\x41",
                                   "\\x5cx41",
                                   "\xc3\xa9",
                                   "\xc3",
                                   "\xc0\x80",
                                   "\xed\xa0\x80",
                                   "\xf4\x90\x80\x80",
                                   "\xf0\x9f\x98\x80",
                                   "\\\xff",
                                   "\\x4\xff",
                                   "\xe2\x80\xae",
                                   std::string("\0x", 2)};
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 12, '\0');
    for (char& byte : bytes)
      byte = random() % 2 == 0 ? "\\x41\xc3\xa9\xe2\x80\xae"[random() % 9]
                               : static_cast<char>(random() % 256);
    strings.push_back(bytes);
  }
  return strings;
}

/// What bash makes of a command line: the arguments, each followed by a newline.
std::string bash_arguments(const std::string& words) {
  const std::string script = "printf '%s\\n' " + words;
  const std::string path = testing::TempDir() + "bops_escape_test.sh";
  std::FILE* file = std::fopen(path.c_str(), "wb");
  std::fputs(script.c_str(), file);
  std::fclose(file);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      popen(("LC_ALL=C bash " + path).c_str(), "r"), pclose);
  std::string output;
  for (int byte = std::fgetc(pipe.get()); byte != EOF; byte = std::fgetc(pipe.get()))
    output += static_cast<char>(byte);
  std::remove(path.c_str());
  return output;
}

TEST(Escape, utf8_text_and_printable_can_be_reversed_for_any_bytes) {
  for (const std::string& bytes : odd_strings()) {
    EXPECT_EQ(bytes_of_text(utf8_text(bytes)), bytes);
    EXPECT_EQ(bytes_of_text(printable(bytes)), bytes);
  }
}

TEST(Escape, utf8_text_is_valid_utf8_and_leaves_valid_text_alone) {
  EXPECT_EQ(utf8_text("caf\xc3\xa9 \xf0\x9f\x98\x80\n"), "caf\xc3\xa9 \xf0\x9f\x98\x80\n");
  EXPECT_EQ(utf8_text("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(utf8_text("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate is not UTF-8";
  EXPECT_EQ(utf8_text("\xc0\x80"), "\\xc0\\x80") << "an overlong NUL is not UTF-8";
  for (const std::string& bytes : odd_strings())
    EXPECT_EQ(utf8_text(utf8_text(bytes)).find('\xff'), std::string::npos);
}

TEST(Escape, printable_and_shell_quoted_leave_no_control_character) {
  for (const std::string& bytes : odd_strings()) {
    EXPECT_FALSE(has_control_byte(printable(bytes))) << printable(bytes);
    EXPECT_FALSE(has_control_byte(shell_quoted(std::string_view(bytes))));
  }
}

TEST(Escape, printable_hides_what_an_eight_bit_terminal_or_a_reader_would_obey) {
  EXPECT_EQ(printable("\x1b[31m"), "\\x1b[31m");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b") << "U+009B is CSI";
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae") << "right-to-left override";
  EXPECT_EQ(printable("caf\xc3\xa9"), "caf\xc3\xa9");
}

TEST(Escape, a_shell_reads_quoted_arguments_back_unchanged) {
  std::vector<std::string> arguments{
      "plain",       "two words", "it's",      "",           "$HOME `id` !x \\ \"",
      "\x1b[31mcab", "\xff\xc3",  "tab\there", "*?[a]{b,c}", "~",
      "-n",          "a=b",       "#no"};
  std::string expected;
  for (const std::string& argument : arguments) expected += argument + '\n';
  EXPECT_EQ(bash_arguments(shell_quoted(std::span<const std::string>(arguments))), expected);
}

TEST(Escape, quotes_only_where_a_shell_needs_it) {
  EXPECT_EQ(shell_quoted(std::string_view("./a-b_c.d/e:f,g@h%i+j=k")), "./a-b_c.d/e:f,g@h%i+j=k");
  EXPECT_EQ(shell_quoted(std::string_view("a b")), "'a b'");
}

TEST(Escape, display_width_counts_characters) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("caf\xc3\xa9 \xf0\x9f\x98\x80"), 6U);
}

}  // namespace
}  // namespace bops
