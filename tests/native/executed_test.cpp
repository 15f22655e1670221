// What the decoder says of registers and flags, against the CPU: random instructions of registers
// are executed in two states that differ in what they are said not to depend on.
#include "tests/native/executed.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "collectors/exact/native/engine/instruction.hpp"
#include "tests/harness/sanitized.hpp"
#include "tests/native/zydis_comparison.hpp"

namespace bops::native {
namespace {

constexpr std::uint64_t kFlagBits[6] = {1 << 0, 1 << 2, 1 << 4, 1 << 6, 1 << 7, 1 << 11};

CpuState random_state(std::mt19937_64& random) {
  CpuState state;
  // Small numbers often, so that shifts, bit tests and comparisons vary; never an address.
  for (std::uint64_t& value : state.registers) value = random() | 1ULL << 62;
  if (random() % 2 == 0) state.registers[1] = random() % 70 | 1ULL << 62;
  state.registers[4] = 0;
  state.flags = 2;
  for (const std::uint64_t flag : kFlagBits) state.flags |= random() & flag;
  return state;
}

struct Candidate {
  std::array<std::uint8_t, 16> bytes{};
  Instruction instruction{};

  std::span<const std::uint8_t> span() const { return {bytes.data(), instruction.length}; }
};

// Instructions that only work on registers and leave the process alone.
bool harmless(const Candidate& candidate) {
  const Instruction& instruction = candidate.instruction;
  if (instruction.control != Control::kNone || (instruction.registers & 1 << 4) != 0) return false;
  if (instruction.registers == 0xffff) return false;  // calls of hypervisors and the like
  const std::uint8_t* opcode = candidate.bytes.data() + instruction.prefix_size;
  if (opcode[0] == 0x8e || (opcode[0] >= 0xa0 && opcode[0] <= 0xa3)) return false;
  if (opcode[0] >= 0xe4 && opcode[0] <= 0xef) return false;  // ports
  if (opcode[0] == 0x0f && (opcode[1] == 0x01 || opcode[1] == 0xae)) return false;
  return instruction.modrm_offset == 0 || candidate.bytes[instruction.modrm_offset] >= 0xc0;
}

bool pick(std::mt19937_64& random, Candidate& candidate) {
  constexpr std::uint8_t kStarts[] = {0x66, 0xf2, 0xf3, 0x48, 0x49, 0x4c, 0x41, 0x0f, 0x0f, 0xc4};
  for (std::uint8_t& byte : candidate.bytes) byte = static_cast<std::uint8_t>(random());
  if (random() % 4 != 0) candidate.bytes[0] = kStarts[random() % std::size(kStarts)];
  if (random() % 4 == 0) candidate.bytes[1] = 0x0f;
  if (candidate.bytes[0] == 0xc4) candidate.bytes[1] = (candidate.bytes[1] & 0xe0) | 2;
  return decode_instruction(candidate.bytes.data(), candidate.bytes.size(),
                            candidate.instruction) &&
         harmless(candidate);
}

class Executed : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_execute()) GTEST_SKIP() << "the CPU has no XSAVE";
  }

  // Calls `check` with instructions that run, the state before, and the state after.
  template <typename Check>
  void for_many(const Check& check) {
    constexpr int kWanted = harness::kSanitized ? 2'000 : 20'000;
    std::mt19937_64 random(4242);
    int done = 0;
    for (int tries = 0; done < kWanted && tries < 400 * kWanted; ++tries) {
      Candidate candidate;
      if (!pick(random, candidate)) continue;
      const CpuState before = random_state(random);
      const std::optional<CpuState> after = execute(candidate.span(), before);
      // Those that read a clock or random numbers say something else each time.
      if (!after || execute(candidate.span(), before) != after) continue;
      ++done;
      check(candidate, before, *after, random);
      if (HasFailure()) return;
    }
    EXPECT_EQ(done, kWanted);
  }
};

TEST_F(Executed, nothing_depends_on_a_register_that_is_overwritten) {
  int checked = 0;
  for_many([&checked](const Candidate& candidate, const CpuState& before, const CpuState& after,
                      std::mt19937_64& random) {
    const int dead = candidate.instruction.overwritten;
    if (dead < 0) return;
    ++checked;
    CpuState changed = before;
    changed.registers[static_cast<std::size_t>(dead)] = random();
    EXPECT_EQ(execute(candidate.span(), changed), after) << hexadecimal(candidate.span());
  });
  EXPECT_GT(checked, 100);
}

TEST_F(Executed, no_other_register_is_read_or_written) {
  for_many([](const Candidate& candidate, const CpuState& before, const CpuState& after,
              std::mt19937_64& random) {
    CpuState changed = before;
    for (std::size_t i = 0; i < 16; ++i) {
      if (i == 4 || (candidate.instruction.registers >> i & 1) != 0) continue;
      EXPECT_EQ(after.registers[i], before.registers[i]) << hexadecimal(candidate.span());
      changed.registers[i] = random();
    }
    std::optional<CpuState> other = execute(candidate.span(), changed);
    ASSERT_TRUE(other) << hexadecimal(candidate.span());
    for (std::size_t i = 0; i < 16; ++i) {
      if ((candidate.instruction.registers >> i & 1) == 0) other->registers[i] = after.registers[i];
    }
    EXPECT_EQ(*other, after) << hexadecimal(candidate.span());
  });
}

TEST_F(Executed, no_other_flag_is_read) {
  for_many([](const Candidate& candidate, const CpuState& before, const CpuState& after,
              std::mt19937_64&) {
    for (unsigned i = 0; i < 6; ++i) {
      if ((candidate.instruction.flags_read >> i & 1) != 0) continue;
      CpuState changed = before;
      changed.flags ^= kFlagBits[i];
      std::optional<CpuState> other = execute(candidate.span(), changed);
      ASSERT_TRUE(other) << hexadecimal(candidate.span());
      // The flag itself may be left alone.
      if (((other->flags ^ after.flags) & kFlagBits[i]) != 0) {
        EXPECT_EQ(after.flags & kFlagBits[i], before.flags & kFlagBits[i])
            << hexadecimal(candidate.span());
        other->flags ^= kFlagBits[i];
      }
      EXPECT_EQ(*other, after) << hexadecimal(candidate.span()) << ", flag " << i;
    }
  });
}

// Undefined flags may survive on this CPU; those that the manuals define may not.
TEST_F(Executed, carry_zero_sign_and_overflow_are_killed_by_arithmetic) {
  constexpr std::uint8_t kOpcodes[] = {0x01, 0x09, 0x11, 0x19, 0x21, 0x29, 0x31, 0x39, 0x85};
  std::mt19937_64 random(7);
  for (const std::uint8_t opcode : kOpcodes) {
    Candidate candidate;
    candidate.bytes = {0x48, opcode, 0xd8};
    ASSERT_TRUE(decode_instruction(candidate.bytes.data(), 16, candidate.instruction));
    const CpuState before = random_state(random);
    const std::optional<CpuState> after = execute(candidate.span(), before);
    ASSERT_TRUE(after);
    for (unsigned i = 0; i < 6; ++i) {
      const bool killed = (candidate.instruction.flags_killed >> i & 1) != 0;
      const bool read = (candidate.instruction.flags_read >> i & 1) != 0;
      if (!killed || read || (1U << i) == kAdjustFlag) continue;
      CpuState changed = before;
      changed.flags ^= kFlagBits[i];
      EXPECT_EQ(execute(candidate.span(), changed), after) << int{opcode} << ", flag " << i;
    }
  }
}

}  // namespace
}  // namespace bops::native
