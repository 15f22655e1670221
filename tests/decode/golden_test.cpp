#include <gtest/gtest.h>

#include "tests/decode/golden_table.hpp"

namespace bops::exact {
namespace {

TEST(Golden, every_encoding_counts_as_the_rules_say) {
  for (const GoldenRow& row : read_golden_table(BOPS_GOLDEN_TABLE)) {
    SCOPED_TRACE(row.line);
    const DecodedInstruction decoded = decode_instruction(row.bytes);
    const DecodedInstruction& expected = row.expected;
    EXPECT_TRUE(decoded.known);
    EXPECT_EQ(decoded.length, expected.length);
    EXPECT_EQ(decoded.load, expected.load);
    EXPECT_EQ(decoded.store, expected.store);
    EXPECT_EQ(decoded.branch, expected.branch);
    EXPECT_EQ(to_string(decoded.instruction_class), to_string(expected.instruction_class));
    EXPECT_EQ(decoded.operations.integer, expected.operations.integer);
    EXPECT_EQ(decoded.operations.floating_point, expected.operations.floating_point);
    EXPECT_EQ(decoded.operations.address, expected.operations.address);
  }
}

TEST(Golden, the_table_holds_at_least_250_encodings) {
  EXPECT_GE(read_golden_table(BOPS_GOLDEN_TABLE).size(), 250U);
}

TEST(Golden, what_follows_an_instruction_does_not_change_its_answer) {
  for (const GoldenRow& row : read_golden_table(BOPS_GOLDEN_TABLE)) {
    SCOPED_TRACE(row.line);
    std::vector<std::uint8_t> longer = row.bytes;
    longer.insert(longer.end(), 16, 0xcc);
    const DecodedInstruction alone = decode_instruction(row.bytes);
    const DecodedInstruction followed = decode_instruction(longer);
    EXPECT_EQ(alone.length, followed.length);
    EXPECT_EQ(alone.operations, followed.operations);
    EXPECT_EQ(alone.classes(), followed.classes());
    EXPECT_EQ(alone.counts(), followed.counts());
  }
}

TEST(Golden, an_encoding_cut_short_is_unknown) {
  for (const GoldenRow& row : read_golden_table(BOPS_GOLDEN_TABLE)) {
    SCOPED_TRACE(row.line);
    for (std::size_t size = 0; size < row.bytes.size(); ++size) {
      const DecodedInstruction decoded = decode_instruction(std::span(row.bytes).first(size));
      EXPECT_FALSE(decoded.known);
      EXPECT_EQ(decoded.length, 0);
    }
  }
}

}  // namespace
}  // namespace bops::exact
