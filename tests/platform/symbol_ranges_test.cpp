#include "platform/symbol_ranges.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace bops {
namespace {

using enum SymbolKind;
using Ranges = std::vector<ElfFunction>;

TEST(SymbolRanges, give_an_inner_function_its_part_and_the_rest_to_the_outer) {
  EXPECT_EQ(disjoint_ranges(
                {{0, 100, 200, kLocalFunction, "outer"}, {40, 10, 200, kLocalFunction, "inner"}}),
            (Ranges{{0, 40, "outer"}, {40, 50, "inner"}, {50, 100, "outer"}}));
}

TEST(SymbolRanges, give_an_overlap_to_the_one_that_starts_last) {
  EXPECT_EQ(disjoint_ranges({{50, 100, 200, kGlobalFunction, "second"},
                             {0, 100, 200, kGlobalFunction, "first"}}),
            (Ranges{{0, 50, "first"}, {50, 150, "second"}}));
}

TEST(SymbolRanges, extend_an_unknown_size_to_the_next_symbol_or_the_end_of_the_section) {
  EXPECT_EQ(disjoint_ranges({{10, 0, 100, kGlobalFunction, "a"},
                             {30, 5, 100, kGlobalFunction, "b"},
                             {60, 0, 100, kGlobalFunction, "c"}}),
            (Ranges{{10, 30, "a"}, {30, 35, "b"}, {60, 100, "c"}}));
}

TEST(SymbolRanges, keep_an_unknown_size_inside_what_it_lies_in) {
  EXPECT_EQ(disjoint_ranges(
                {{0, 50, 100, kGlobalFunction, "outer"}, {20, 0, 100, kGlobalFunction, "entry"}}),
            (Ranges{{0, 20, "outer"}, {20, 50, "entry"}}));
}

TEST(SymbolRanges, name_aliases_by_kind_then_length_then_alphabet) {
  const auto name_of = [](std::vector<CodeSymbol> symbols) {
    const Ranges ranges = disjoint_ranges(std::move(symbols));
    return ranges.size() == 1 ? ranges[0].name : "not one range";
  };
  const CodeSymbol local{0, 9, 99, kLocalFunction, "l"}, weak{0, 9, 99, kWeakFunction, "ww"},
      global{0, 9, 99, kGlobalFunction, "ggg"}, longer{0, 9, 99, kGlobalFunction, "aaaa"},
      other{0, 9, 99, kGlobalFunction, "ggh"}, label{0, 9, 99, kLabel, "x"};
  EXPECT_EQ(name_of({label, local}), "l");
  EXPECT_EQ(name_of({local, weak}), "ww");
  EXPECT_EQ(name_of({weak, longer, local}), "aaaa");
  EXPECT_EQ(name_of({other, longer, global, weak}), "ggg");
  EXPECT_EQ(name_of({global, longer, weak, other}), "ggg") << "in any order";
}

TEST(SymbolRanges, take_the_size_from_whichever_alias_knows_it) {
  EXPECT_EQ(disjoint_ranges({{0, 0, 99, kGlobalFunction, "g"}, {0, 9, 99, kLocalFunction, "l"}}),
            (Ranges{{0, 9, "g"}}));
}

TEST(SymbolRanges, use_labels_only_where_no_function_is) {
  EXPECT_EQ(disjoint_ranges({{0, 50, 100, kLocalFunction, "f"},
                             {20, 0, 100, kLabel, "inside"},
                             {60, 0, 100, kLabel, "alone"}}),
            (Ranges{{0, 50, "f"}, {60, 100, "alone"}}));
}

TEST(SymbolRanges, never_reach_beyond_their_section) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(disjoint_ranges({{90, kMost, 100, kGlobalFunction, "huge"}}),
            (Ranges{{90, 100, "huge"}}));
  EXPECT_EQ(disjoint_ranges({{kMost - 1, 5, kMost, kGlobalFunction, "last"}}),
            (Ranges{{kMost - 1, kMost, "last"}}));
}

}  // namespace
}  // namespace bops
