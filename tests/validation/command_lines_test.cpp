#include "cli/command_lines.hpp"

#include <gtest/gtest.h>

namespace bops {
namespace {

using Words = std::vector<std::string>;

TEST(CommandLines, are_divided_at_blanks) {
  EXPECT_EQ(*split_words("  xz -k\t file "), (Words{"xz", "-k", "file"}));
  EXPECT_EQ(*split_words(""), Words{});
}

TEST(CommandLines, keep_together_what_is_quoted) {
  EXPECT_EQ(*split_words(R"(a 'b c' "d 'e'" f\ g '' h"i"j)"),
            (Words{"a", "b c", "d 'e'", "f g", "", "hij"}));
  EXPECT_EQ(*split_words(R"("a\"b" 'c\d')"), (Words{"a\"b", "c\\d"}));
}

TEST(CommandLines, expand_nothing) {
  EXPECT_EQ(*split_words("$HOME *.c `x` ~"), (Words{"$HOME", "*.c", "`x`", "~"}));
}

TEST(CommandLines, an_open_quote_is_an_error_that_names_its_line) {
  EXPECT_FALSE(split_words("a 'b"));
  const auto commands = split_commands("xz a\nxz \"b\n");
  ASSERT_FALSE(commands);
  EXPECT_NE(commands.error().message.find("line 2"), std::string::npos);
}

TEST(CommandLines, a_file_has_one_command_on_each_line_that_is_no_comment) {
  const auto commands = split_commands("# sizes\nxz a\n\n   \nxz 'b c'");
  ASSERT_TRUE(commands);
  ASSERT_EQ(commands->size(), 2U);
  EXPECT_EQ((*commands)[1], (Words{"xz", "b c"}));
}

}  // namespace
}  // namespace bops
