#include "collectors/exact/decode/instruction.hpp"

#include <gtest/gtest.h>

#include <array>
#include <ctime>
#include <vector>

#include "tests/decode/golden_table.hpp"

namespace bops::exact {
namespace {

DecodedInstruction decode(std::vector<std::uint8_t> bytes) {
  return decode_instruction(bytes);
}

TEST(Instruction, bytes_that_no_cpu_executes_count_in_the_total_only) {
  const DecodedInstruction push_es = decode({0x06});  // not in 64-bit mode
  EXPECT_FALSE(push_es.known);
  EXPECT_EQ(push_es.length, 0);
  EXPECT_EQ(push_es.counts(), (InstructionCounts{.total = 1}));
  EXPECT_EQ(push_es.classes(), (InstructionClasses{.other = 1}));
  EXPECT_EQ(push_es.operations, Operations{});
}

TEST(Instruction, no_bytes_are_no_instruction) {
  EXPECT_FALSE(decode({}).known);
}

TEST(Instruction, knights_corner_encodings_are_unknown) {
  // vaddps zmm0, zmm1, zmm2 with the MVEX bit: EVEX has it set.
  EXPECT_TRUE(decode({0x62, 0xf1, 0x74, 0x48, 0x58, 0xc2}).known);
  EXPECT_FALSE(decode({0x62, 0xf1, 0x70, 0x48, 0x58, 0xc2}).known);
}

TEST(Instruction, the_disjoint_classes_sum_to_one_for_every_golden_encoding) {
  for (const GoldenRow& row : read_golden_table(BOPS_GOLDEN_TABLE)) {
    EXPECT_EQ(decode_instruction(row.bytes).classes().total(), 1U) << row.line;
  }
}

TEST(Instruction, only_tile_products_assume_a_tile_size) {
  for (const GoldenRow& row : read_golden_table(BOPS_GOLDEN_TABLE)) {
    const bool tile_product = row.line.find("| tdp") != std::string::npos;
    EXPECT_EQ(decode_instruction(row.bytes).assumes_tile_size, tile_product) << row.line;
  }
}

TEST(Instruction, a_wider_vector_has_proportionally_more_lanes) {
  // vpaddw xmm, ymm, zmm
  const auto narrow = decode({0x62, 0xf1, 0x75, 0x08, 0xfd, 0xc2}).operations.integer;
  const auto middle = decode({0x62, 0xf1, 0x75, 0x28, 0xfd, 0xc2}).operations.integer;
  const auto wide = decode({0x62, 0xf1, 0x75, 0x48, 0xfd, 0xc2}).operations.integer;
  EXPECT_EQ(narrow, 8U);
  EXPECT_EQ(middle, 2 * narrow);
  EXPECT_EQ(wide, 4 * narrow);
}

TEST(Instruction, a_mask_does_not_change_the_count) {
  const DecodedInstruction plain = decode({0x62, 0xf1, 0x74, 0x48, 0x58, 0xc2});
  const DecodedInstruction masked = decode({0x62, 0xf1, 0x74, 0x49, 0x58, 0xc2});
  EXPECT_EQ(plain.operations, masked.operations);
}

// What a rep prefix repeats is one instruction, so the prefix cannot matter.
TEST(Instruction, rep_changes_neither_counts_nor_operations) {
  for (const std::uint8_t opcode :
       std::array<std::uint8_t, 10>{0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf}) {
    const DecodedInstruction once = decode({opcode});
    const DecodedInstruction repeated = decode({0xf3, opcode});
    EXPECT_EQ(once.counts(), repeated.counts()) << int{opcode};
    EXPECT_EQ(once.operations, repeated.operations) << int{opcode};
    EXPECT_EQ(once.classes(), repeated.classes()) << int{opcode};
  }
}

TEST(Instruction, three_hundred_thousand_decode_within_half_a_second_of_cpu_time) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
  GTEST_SKIP() << "the limit holds for optimised builds without sanitizers";
#endif
  const std::vector<GoldenRow> rows = read_golden_table(BOPS_GOLDEN_TABLE);
  constexpr int kDecodes = 300'000;
  std::uint64_t lengths = 0;
  const std::clock_t start = std::clock();
  for (std::size_t at = 0; at < kDecodes; ++at) {
    lengths += decode_instruction(rows[at % rows.size()].bytes).length;
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_GT(lengths, kDecodes);
  EXPECT_LT(seconds, 0.5);
}

}  // namespace
}  // namespace bops::exact
