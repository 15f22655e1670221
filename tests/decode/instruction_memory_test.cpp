// What is remembered of instructions is what decoding them says.
#include "collectors/exact/decode/instruction_memory.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/decode/golden_table.hpp"

namespace bops::exact {
namespace {

void expect_same(InstructionMemory& memory, std::span<const std::uint8_t> bytes) {
  const DecodedInstruction expected = decode_instruction(bytes);
  const DecodedInstruction& remembered = memory.decode(bytes);
  ASSERT_EQ(remembered.known, expected.known) << testing::PrintToString(bytes);
  ASSERT_EQ(remembered.length, expected.length) << testing::PrintToString(bytes);
  ASSERT_EQ(remembered.counts(), expected.counts()) << testing::PrintToString(bytes);
  ASSERT_EQ(remembered.classes(), expected.classes()) << testing::PrintToString(bytes);
  ASSERT_EQ(remembered.operations, expected.operations) << testing::PrintToString(bytes);
  ASSERT_EQ(remembered.assumes_tile_size, expected.assumes_tile_size);
}

class Remembered : public testing::Test {
 protected:
  std::uint8_t any_byte() { return static_cast<std::uint8_t>(random_()); }

  InstructionMemory memory_;
  std::mt19937 random_{1};  // the same bytes in each run
};

TEST_F(Remembered, random_bytes_are_what_decoding_them_says) {
  // As they come, the first bytes are spread over all opcodes; behind the prefixes that most
  // instructions have, over those of the two maps that keys look into.
  const std::vector<std::vector<std::uint8_t>> starts = {
      {}, {0x0f}, {0x48}, {0x48, 0x0f}, {0x66}, {0x66, 0x0f}, {0xf3, 0x0f}, {0xf2, 0x48, 0x0f}};
  for (int round = 0; round < 400'000; ++round) {
    std::vector<std::uint8_t> bytes = starts[static_cast<std::size_t>(round) % starts.size()];
    while (bytes.size() < 15) bytes.push_back(any_byte());
    const std::size_t length = decode_instruction(bytes).length;
    expect_same(memory_, std::span(bytes).first(length != 0 ? length : 1 + random_() % 15));
    if (HasFatalFailure()) return;
  }
}

TEST_F(Remembered, no_byte_that_matters_is_left_out_of_the_key) {
  for (const GoldenRow& row : read_golden_table(BOPS_GOLDEN_TABLE)) {
    SCOPED_TRACE(row.line);
    for (std::size_t place = 0; place < row.bytes.size(); ++place)
      for (unsigned value = 0; value < 256; ++value) {
        std::vector<std::uint8_t> bytes = row.bytes;
        bytes[place] = static_cast<std::uint8_t>(value);
        expect_same(memory_, bytes);
        if (HasFatalFailure()) return;
      }
  }
}

TEST_F(Remembered, only_displacements_and_distances_are_left_out) {
  const auto key = [](std::vector<std::uint8_t> bytes) { return instruction_key(bytes); };
  EXPECT_EQ(key({0xe8, 1, 2, 3, 4}), key({0xe8, 5, 6, 7, 8}));
  EXPECT_EQ(key({0x0f, 0x84, 1, 2, 3, 4}), key({0x0f, 0x84, 5, 6, 7, 8}));
  EXPECT_EQ(key({0x48, 0x8b, 0x44, 0x24, 8}), key({0x48, 0x8b, 0x44, 0x24, 16}));
  EXPECT_EQ(key({0x48, 0x8b, 0x05, 1, 2, 3, 4}), key({0x48, 0x8b, 0x05, 5, 6, 7, 8}));
  EXPECT_NE(key({0x48, 0x8b, 0x44, 0x24, 8}), key({0x48, 0x8b, 0x44, 0x64, 8}));
  EXPECT_NE(key({0x48, 0x83, 0xec, 8}), key({0x48, 0x83, 0xec, 16})) << "an immediate";
  EXPECT_NE(key({0xeb, 1}), key({0xeb, 1, 0})) << "the length";
}

}  // namespace
}  // namespace bops::exact
