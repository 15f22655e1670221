#include "usage/line_reader.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "tests/platform/temporary_directory.hpp"

namespace bops {
namespace {

struct Seen {
  std::string text;
  bool too_long;
  bool complete;
  friend bool operator==(const Seen&, const Seen&) = default;
};

std::vector<Seen> read_all(const std::string& path, std::size_t limit) {
  auto reader = LineReader::open(path, limit);
  EXPECT_TRUE(reader);
  std::vector<Seen> seen;
  std::uint64_t end = 0;
  for (Line line{}; *reader->next(line); end = line.end) {
    EXPECT_EQ(line.offset, end);
    EXPECT_EQ(line.number, seen.size() + 1);
    seen.push_back({std::string(line.text), line.too_long, line.complete});
  }
  return seen;
}

TEST(LineReader, gives_each_line_and_tells_the_one_without_newline) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "f") << "one\n\nthree\nlast";
  EXPECT_EQ(read_all(directory / "f", 100), (std::vector<Seen>{{"one", false, true},
                                                               {"", false, true},
                                                               {"three", false, true},
                                                               {"last", false, false}}));
  std::ofstream(directory / "empty") << "";
  EXPECT_TRUE(read_all(directory / "empty", 100).empty());
}

TEST(LineReader, passes_over_lines_that_are_too_long_and_goes_on_behind_them) {
  const TemporaryDirectory directory;
  for (const std::size_t size : {99UL, 100UL, 101UL, 262143UL, 262144UL, 262145UL, 3000000UL}) {
    {
      std::ofstream file(directory / "f");
      file << "before\n" << std::string(size, 'x') << "\nafter\n" << std::string(size, 'y');
    }
    const auto seen = read_all(directory / "f", 100);
    ASSERT_EQ(seen.size(), 4U) << size;
    EXPECT_EQ(seen[1].too_long, size > 100);
    EXPECT_EQ(seen[1].text, std::string(std::min<std::size_t>(size, 100), 'x'));
    EXPECT_EQ(seen[2], (Seen{"after", false, true}));
    EXPECT_EQ(seen[3].too_long, size > 100);
    EXPECT_FALSE(seen[3].complete);
  }
}

TEST(LineReader, goes_on_where_it_is_told_to) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "f") << "one\ntwo\nthree\n";
  auto reader = LineReader::open(directory / "f", 100);
  Line line{};
  ASSERT_TRUE(*reader->next(line));
  const std::uint64_t behind = line.end;
  auto again = LineReader::open(directory / "f", 100);
  ASSERT_TRUE(again->seek(behind, 2));
  ASSERT_TRUE(*again->next(line));
  EXPECT_EQ(line.text, "two");
  EXPECT_EQ(line.number, 2U);
  EXPECT_EQ(line.offset, 4U);
}

}  // namespace
}  // namespace bops
