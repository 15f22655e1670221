#include "report/format.hpp"

#include <gtest/gtest.h>

#include <set>

namespace bops {
namespace {

TEST(Format, each_format_is_found_by_its_name_and_its_suffix) {
  std::set<std::string_view> names;
  for (const Format& format : formats()) {
    EXPECT_EQ(find_format(format.name), &format);
    EXPECT_EQ(find_format(format.suffix.substr(1)), &format);
    const Result<const Format*> found =
        format_for("dir.csv/re.json.port" + std::string(format.suffix), "");
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, &format);
    names.insert(format.name);
    names.insert(format.suffix);
  }
  EXPECT_EQ(names.size(), 2 * formats().size()) << "names and suffixes are unique";
}

TEST(Format, an_explicit_name_wins_over_the_suffix) {
  EXPECT_EQ(*format_for("report.json", "csv"), find_format("csv"));
  EXPECT_EQ(*format_for("-", "json"), find_format("json"));
}

TEST(Format, standard_output_gets_text_unless_named) {
  EXPECT_EQ(*format_for("-", ""), find_format("text"));
  EXPECT_EQ(*format_for("", ""), find_format("text"));
}

TEST(Format, errors_list_the_formats_there_are) {
  for (const auto& [path, name] : {std::pair{"report.xml", ""}, std::pair{"report", ""},
                                   std::pair{"dir.csv/report", ""}, std::pair{"a.json", "xml"}}) {
    const Result<const Format*> found = format_for(path, name);
    ASSERT_FALSE(found) << path;
    for (const Format& format : formats())
      EXPECT_NE(found.error().remedy.find(format.name), std::string::npos) << format.name;
  }
}

TEST(Format, an_error_quotes_the_name) {
  const Result<const Format*> found = format_for("a\x1b[31m.x", "");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace bops
