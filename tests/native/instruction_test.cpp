// Facts about single instructions, from the manuals rather than from another decoder.
#include "collectors/exact/native/engine/instruction.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace bops::native {
namespace {

using Bytes = std::vector<std::uint8_t>;

enum Register : int { kRax, kRcx, kRdx, kRbx, kRsp, kRbp, kRsi, kRdi, kR8, kR9 };

std::optional<Instruction> decode(const Bytes& bytes) {
  Instruction instruction{};
  if (!decode_instruction(bytes.data(), bytes.size(), instruction)) return std::nullopt;
  return instruction;
}

// Decodes what must be one whole instruction.
Instruction whole(const Bytes& bytes) {
  const std::optional<Instruction> instruction = decode(bytes);
  EXPECT_TRUE(instruction.has_value());
  if (!instruction) return {};
  EXPECT_EQ(instruction->length, bytes.size());
  return *instruction;
}

Control control(const Bytes& bytes) {
  return whole(bytes).control;
}
int overwritten(const Bytes& bytes) {
  return whole(bytes).overwritten;
}
int killed(const Bytes& bytes) {
  return whole(bytes).flags_killed;
}
int read(const Bytes& bytes) {
  return whole(bytes).flags_read;
}

TEST(NativeInstruction, control_transfers_are_told_apart) {
  EXPECT_EQ(control({0x74, 0x10}), Control::kConditional);
  EXPECT_EQ(control({0x0f, 0x8f, 1, 0, 0, 0}), Control::kConditional);
  EXPECT_EQ(control({0xe3, 0x10}), Control::kLoop);
  EXPECT_EQ(control({0xeb, 0xfe}), Control::kJump);
  EXPECT_EQ(control({0xf2, 0xe9, 1, 0, 0, 0}), Control::kJump);
  EXPECT_EQ(control({0xe8, 1, 0, 0, 0}), Control::kCall);
  EXPECT_EQ(control({0x3e, 0xff, 0xe0}), Control::kIndirectJump);
  EXPECT_EQ(control({0xff, 0x25, 1, 0, 0, 0}), Control::kIndirectJump);
  EXPECT_EQ(control({0x41, 0xff, 0xd3}), Control::kIndirectCall);
  EXPECT_EQ(control({0xf2, 0xc3}), Control::kReturn);
  EXPECT_EQ(control({0xc2, 8, 0}), Control::kReturn);
  EXPECT_EQ(control({0x0f, 0x05}), Control::kSystemCall);
  EXPECT_EQ(control({0xcd, 0x80}), Control::kInterrupt);
  EXPECT_EQ(control({0x0f, 0x34}), Control::kInterrupt);
  EXPECT_EQ(control({0xcc}), Control::kNone);
  EXPECT_EQ(control({0xf1}), Control::kNone);
  EXPECT_EQ(control({0x48, 0xcf}), Control::kFar);
  EXPECT_EQ(control({0xcb}), Control::kFar);
  EXPECT_EQ(control({0x48, 0xff, 0x28}), Control::kFar);
  EXPECT_EQ(control({0xf3, 0x0f, 0x01, 0xec}), Control::kFar);
  EXPECT_EQ(control({0xc7, 0xf8, 1, 0, 0, 0}), Control::kTransaction);
  EXPECT_EQ(control({0x0f, 0x0b}), Control::kTrap);
  EXPECT_EQ(control({0x0f, 0xb9, 0x40, 0x08}), Control::kTrap);
  EXPECT_EQ(control({0xf4}), Control::kTrap);
  EXPECT_EQ(control({0x0f, 0x22, 0xd8}), Control::kTrap);
}

TEST(NativeInstruction, whatever_changes_the_gs_base_says_so) {
  EXPECT_EQ(control({0xf3, 0x48, 0x0f, 0xae, 0xc8}), Control::kGsBase);  // rdgsbase
  EXPECT_EQ(control({0xf3, 0x48, 0x0f, 0xae, 0xd8}), Control::kGsBase);  // wrgsbase
  EXPECT_EQ(control({0x0f, 0x01, 0xf8}), Control::kGsBase);
  EXPECT_EQ(control({0x8e, 0xe8}), Control::kGsBase);                  // mov gs, eax
  EXPECT_EQ(control({0x0f, 0xa9}), Control::kGsBase);                  // pop gs
  EXPECT_EQ(control({0x0f, 0xb5, 0x00}), Control::kGsBase);            // lgs
  EXPECT_EQ(control({0xf3, 0x48, 0x0f, 0xae, 0xc0}), Control::kNone);  // rdfsbase
  EXPECT_EQ(control({0x8e, 0xe0}), Control::kNone);                    // mov fs, eax
  EXPECT_EQ(control({0x8c, 0xe8}), Control::kNone);                    // mov eax, gs
}

TEST(NativeInstruction, near_branches_on_which_vendors_differ_are_refused) {
  EXPECT_FALSE(decode({0x66, 0xe8, 1, 0, 0, 0}));
  EXPECT_FALSE(decode({0x66, 0x74, 1}));
  EXPECT_FALSE(decode({0x66, 0x0f, 0x84, 1, 0, 0, 0}));
  EXPECT_FALSE(decode({0x66, 0xc3}));
  EXPECT_FALSE(decode({0x66, 0xff, 0xe0}));
  EXPECT_FALSE(decode({0x66, 0xe2, 1}));
  EXPECT_FALSE(decode({0x48, 0x66, 0xe8, 1, 0, 0, 0}));  // a REX before it has no effect
  // As compilers write the call of __tls_get_addr.
  EXPECT_EQ(control({0x66, 0x66, 0x48, 0xe8, 1, 0, 0, 0}), Control::kCall);
}

TEST(NativeInstruction, shifts_kill_flags_only_by_a_count_that_is_not_0) {
  EXPECT_EQ(killed({0xc1, 0xe0, 5}), kAllFlags);
  EXPECT_EQ(killed({0xc1, 0xe0, 32}), 0);
  EXPECT_EQ(killed({0x48, 0xc1, 0xe0, 32}), kAllFlags);
  EXPECT_EQ(killed({0x48, 0xc1, 0xe0, 64}), 0);
  EXPECT_EQ(killed({0x48, 0xc0, 0xe0, 32}), 0);  // a byte
  EXPECT_EQ(killed({0xd3, 0xe0}), 0);
  EXPECT_EQ(killed({0xd1, 0xe0}), kAllFlags);
  EXPECT_EQ(killed({0xd1, 0xc0}), kCarryFlag | kOverflowFlag);  // rol
  EXPECT_EQ(killed({0xc1, 0xc0, 3}), kCarryFlag | kOverflowFlag);
  EXPECT_EQ(read({0xc1, 0xd0, 3}), kCarryFlag);  // rcl
  EXPECT_EQ(killed({0x0f, 0xa4, 0xc2, 0}), 0);   // shld
  EXPECT_EQ(killed({0x0f, 0xa4, 0xc2, 1}), kAllFlags);
}

TEST(NativeInstruction, flags_are_read_and_killed_as_the_manual_says) {
  EXPECT_EQ(killed({0x01, 0xc8}), kAllFlags);
  EXPECT_EQ(killed({0xff, 0xc0}), kAllFlags & ~kCarryFlag);
  EXPECT_EQ(killed({0xf7, 0xd0}), 0);  // not
  EXPECT_EQ(read({0x11, 0xc8}), kCarryFlag);
  EXPECT_EQ(read({0x0f, 0x4c, 0xc1}), kSignFlag | kOverflowFlag);  // cmovl
  EXPECT_EQ(read({0x0f, 0x9f, 0xc0}), kSignFlag | kOverflowFlag | kZeroFlag);
  EXPECT_EQ(read({0x9c}), kAllFlags);
  EXPECT_EQ(killed({0x9d}), kAllFlags);
  EXPECT_EQ(killed({0x9e}), kAllFlags & ~kOverflowFlag);
  EXPECT_EQ(killed({0xa6}), kAllFlags);
  EXPECT_EQ(killed({0xf3, 0xa6}), 0);  // perhaps not even one comparison
  EXPECT_EQ(killed({0x48, 0x0f, 0xa3, 0xc8}), kAllFlags & ~kZeroFlag);
  EXPECT_EQ(killed({0x0f, 0xc7, 0x08}), kZeroFlag);                  // cmpxchg8b
  EXPECT_EQ(read({0x66, 0x0f, 0x38, 0xf6, 0xc8}), kCarryFlag);       // adcx
  EXPECT_EQ(killed({0xf3, 0x0f, 0x38, 0xf6, 0xc8}), kOverflowFlag);  // adox
  EXPECT_EQ(killed({0xc4, 0xe2, 0x70, 0xf2, 0xc2}), kAllFlags);      // andn
  EXPECT_EQ(killed({0xc4, 0xe2, 0xf3, 0xf6, 0xc2}), 0);              // mulx
  EXPECT_EQ(killed({0xc5, 0xf9, 0x2e, 0xc1}), kAllFlags);            // vucomisd
  EXPECT_EQ(read({0xda, 0xd1}), kCarryFlag | kZeroFlag);             // fcmovbe
  EXPECT_EQ(killed({0x0f, 0x05}), 0);
}

TEST(NativeInstruction, a_register_that_is_overwritten_is_dead_before) {
  EXPECT_EQ(overwritten({0x89, 0xc8}), kRax);
  EXPECT_EQ(overwritten({0x49, 0x89, 0xc0}), kR8);
  EXPECT_EQ(overwritten({0xb9, 1, 0, 0, 0}), kRcx);
  EXPECT_EQ(overwritten({0x48, 0x8d, 0x04, 0x11}), kRax);  // lea rax, [rcx + rdx]
  EXPECT_EQ(overwritten({0x31, 0xd2}), kRdx);
  EXPECT_EQ(overwritten({0x48, 0x29, 0xf6}), kRsi);
  EXPECT_EQ(overwritten({0x99}), kRdx);                    // cdq
  EXPECT_EQ(overwritten({0xf7, 0xe1}), kRdx);              // mul ecx
  EXPECT_EQ(overwritten({0x0f, 0xb6, 0xc1}), kRax);        // movzx eax, cl
  EXPECT_EQ(overwritten({0x6b, 0xc1, 3}), kRax);           // imul eax, ecx, 3
  EXPECT_EQ(overwritten({0x66, 0x0f, 0xd7, 0xc1}), kRax);  // pmovmskb eax, xmm1
  EXPECT_EQ(overwritten({0x66, 0x48, 0x0f, 0x7e, 0xc1}), kRcx);
  EXPECT_EQ(overwritten({0xc4, 0xe2, 0x70, 0xf2, 0xc2}), kRax);
}

TEST(NativeInstruction, a_register_that_is_read_kept_in_part_or_kept_on_a_fault_is_not_dead) {
  EXPECT_EQ(overwritten({0x66, 0x89, 0xc8}), -1);              // 16 bits
  EXPECT_EQ(overwritten({0x88, 0xc8}), -1);                    // 8 bits
  EXPECT_EQ(overwritten({0x8b, 0x01}), -1);                    // may fault
  EXPECT_EQ(overwritten({0x89, 0xcc}), -1);                    // RSP
  EXPECT_EQ(overwritten({0x01, 0xc8}), -1);                    // read
  EXPECT_EQ(overwritten({0x31, 0xca}), -1);                    // two registers
  EXPECT_EQ(overwritten({0x66, 0x31, 0xd2}), -1);              // 16 bits
  EXPECT_EQ(overwritten({0x30, 0xd2}), -1);                    // 8 bits
  EXPECT_EQ(overwritten({0x4d, 0x31, 0xd0}), -1);              // r8 and r10
  EXPECT_EQ(overwritten({0x49, 0x31, 0xc0}), -1);              // r8 and rax
  EXPECT_EQ(overwritten({0x48, 0x8d, 0x04, 0x01}), -1);        // lea rax, [rcx + rax]
  EXPECT_EQ(overwritten({0xf7, 0xe2}), -1);                    // mul edx
  EXPECT_EQ(overwritten({0xf7, 0xf1}), -1);                    // div ecx
  EXPECT_EQ(overwritten({0x0f, 0xb6, 0xc0}), -1);              // movzx eax, al
  EXPECT_EQ(overwritten({0x0f, 0xb6, 0xc4}), -1);              // movzx eax, ah
  EXPECT_EQ(overwritten({0x0f, 0x44, 0xc1}), -1);              // cmove
  EXPECT_EQ(overwritten({0x0f, 0xbc, 0xc1}), -1);              // bsf at zero
  EXPECT_EQ(overwritten({0xf3, 0x0f, 0xbc, 0xc1}), -1);        // tzcnt is bsf on old CPUs
  EXPECT_EQ(overwritten({0x48, 0x69, 0xc0, 1, 0, 0, 0}), -1);  // imul rax, rax, 1
  EXPECT_EQ(overwritten({0x0f, 0xc8}), -1);                    // bswap
}

TEST(NativeInstruction, implicit_registers_are_named) {
  EXPECT_EQ(whole({0xf3, 0xa4}).registers, 1 << kRcx | 1 << kRsi | 1 << kRdi);
  EXPECT_EQ(whole({0xa4}).registers, 1 << kRsi | 1 << kRdi);
  EXPECT_EQ(whole({0x0f, 0xa2}).registers, 15);
  EXPECT_EQ(whole({0xd3, 0xe3}).registers, 1 << kRcx | 1 << kRbx);
  EXPECT_EQ(whole({0x55}).registers, 1 << kRsp | 1 << kRbp);
  EXPECT_EQ(whole({0x90}).registers, 0);
  EXPECT_EQ(whole({0xf3, 0x0f, 0x1e, 0xfa}).registers, 0);  // endbr64
  EXPECT_EQ(whole({0x41, 0x90}).registers, 1 << kRax | 1 << kR8);
  EXPECT_EQ(whole({0x88, 0xe1}).registers, 1 << kRax | 1 << kRcx);              // mov cl, ah
  EXPECT_EQ(whole({0x40, 0x88, 0xe1}).registers, 1 << kRsp | 1 << kRcx);        // mov cl, spl
  EXPECT_EQ(whole({0x66, 0x0f, 0x3a, 0x61, 0xc1, 0}).registers, 7);             // pcmpestri
  EXPECT_EQ(whole({0xc4, 0xe2, 0x71, 0x90, 0x04, 0x90}).registers, 1 << kRax);  // vpgatherdd
  EXPECT_EQ(whole({0x0f, 0xf7, 0xc1}).registers, 1 << kRdi);                    // maskmovq
}

TEST(NativeInstruction, places_within_the_instruction_are_found) {
  const Instruction load = whole({0x64, 0x48, 0x8b, 0x0d, 0xfe, 0xff, 0xff, 0xff});
  EXPECT_EQ(load.prefix_size, 2);
  EXPECT_EQ(load.rex, 0x48);
  EXPECT_EQ(load.modrm_offset, 3);
  EXPECT_TRUE(load.rip_relative);
  EXPECT_TRUE(load.fs_segment);
  EXPECT_FALSE(load.gs_segment);
  EXPECT_EQ(load.displacement_offset, 4);
  EXPECT_EQ(load.displacement_size, 4);
  EXPECT_EQ(load.displacement, -2);
  const Instruction store = whole({0x66, 0x65, 0xc7, 0x44, 0x24, 0x80, 0xff, 0x7f});
  EXPECT_TRUE(store.gs_segment);
  EXPECT_EQ(store.displacement, -128);
  EXPECT_EQ(store.immediate_offset, 6);
  EXPECT_EQ(store.immediate_size, 2);
  EXPECT_EQ(store.immediate, 0x7fff);
  const Instruction absolute = whole({0x48, 0xa1, 8, 7, 6, 5, 4, 3, 2, 1});
  EXPECT_EQ(absolute.displacement_size, 8);
  EXPECT_EQ(absolute.immediate, 0x0102030405060708);
  EXPECT_EQ(whole({0x67, 0xa1, 1, 0, 0, 0x80}).immediate, 0x80000001);
  EXPECT_EQ(whole({0xb8, 0xff, 0xff, 0xff, 0xff}).immediate, 0xffffffff);
  EXPECT_EQ(whole({0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff}).immediate, -1);
  EXPECT_EQ(whole({0x75, 0xf0}).immediate, -16);
  EXPECT_EQ(whole({0x75, 0xf0}).condition, 5);
  EXPECT_EQ(whole({0xc8, 0x34, 0x12, 0x05}).immediate, 0x051234);
  EXPECT_TRUE(whole({0x67, 0xe3, 0}).address_size_32);
  EXPECT_TRUE(whole({0x67, 0x8d, 0x00}).address_size_32);
  EXPECT_FALSE(whole({0x67, 0x01, 0xc8}).address_size_32);
  EXPECT_TRUE(whole({0xf0, 0xff, 0x00}).locked);
  EXPECT_TRUE(whole({0xf2, 0xaa}).repeated);
  EXPECT_FALSE(whole({0xf3, 0x90}).repeated);
}

TEST(NativeInstruction, instructions_newer_than_most_decoders_are_known) {
  EXPECT_EQ(whole({0xc4, 0xe2, 0x71, 0xe4, 0x00}).registers, 3);  // cmpzxadd [rax], eax, ecx
  EXPECT_EQ(killed({0xc4, 0xe2, 0x71, 0xe4, 0x00}), kAllFlags);
  EXPECT_EQ(control({0xc4, 0xe2, 0x73, 0x50, 0xc2}), Control::kNone);  // vpdpbssd
  EXPECT_EQ(control({0xc4, 0xe2, 0x72, 0xd2, 0xc2}), Control::kNone);  // vpdpwsud
  EXPECT_EQ(control({0xc4, 0xe2, 0x7a, 0x72, 0xc2}), Control::kNone);  // vcvtneps2bf16
  EXPECT_EQ(control({0xc4, 0xe2, 0x7f, 0xcc, 0xc2}), Control::kNone);  // vsha512msg1
  EXPECT_EQ(whole({0x0f, 0x38, 0xfc, 0x08}).registers, 3);             // aadd
  EXPECT_EQ(whole({0xf2, 0x0f, 0x38, 0xf8, 0xc1}).registers, 3);       // urdmsr
  EXPECT_EQ(whole({0xc4, 0xe7, 0x7b, 0xf8, 0xc1, 1, 2, 3, 4}).immediate_size, 4);
}

TEST(NativeInstruction, what_64_bit_mode_does_not_have_is_refused) {
  for (const std::uint8_t opcode : Bytes{0x06, 0x0e, 0x1e, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82,
                                         0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea}) {
    Bytes bytes(16, 0);
    bytes[0] = opcode;
    EXPECT_FALSE(decode(bytes)) << int{opcode};
  }
  EXPECT_FALSE(decode({0xf0, 0xc5, 0xf8, 0x58, 0xc1}));        // LOCK before VEX
  EXPECT_FALSE(decode({0x66, 0xc5, 0xf8, 0x58, 0xc1}));        // 66 before VEX
  EXPECT_FALSE(decode({0x48, 0xc5, 0xf8, 0x58, 0xc1}));        // REX before VEX
  EXPECT_FALSE(decode({0x62, 0xf1, 0x70, 0x48, 0x58, 0xc2}));  // MVEX
  EXPECT_FALSE(decode({0x8d, 0xc0}));                          // lea of a register
  EXPECT_FALSE(decode({}));
}

const std::vector<Bytes> kVaried{
    {0x90},
    {0x48, 0x8b, 0x04, 0x25, 1, 2, 3, 4},
    {0x66, 0x81, 0x84, 0x24, 1, 2, 3, 4, 5, 6},
    {0x49, 0xbb, 1, 2, 3, 4, 5, 6, 7, 8},
    {0x62, 0xf3, 0x75, 0x48, 0x0f, 0x44, 0x91, 1, 9},
    {0xc4, 0xe3, 0x79, 0x61, 0x05, 1, 2, 3, 4, 5},
    {0x0f, 0x0f, 0x44, 0x91, 1, 0x9e},
    {0xf2, 0x0f, 0x38, 0xf1, 0x80, 1, 2, 3, 4},
    {0x2e, 0x2e, 0x2e, 0x2e, 0x66, 0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0},
    {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90},
};

TEST(NativeInstruction, one_that_is_cut_off_is_refused_at_every_place) {
  for (const Bytes& bytes : kVaried) {
    whole(bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}));
    }
  }
}

TEST(NativeInstruction, what_follows_the_instruction_changes_nothing) {
  for (const Bytes& bytes : kVaried) {
    const Instruction alone = whole(bytes);
    Bytes followed = bytes;
    followed.resize(64, 0xcc);
    const std::optional<Instruction> with_rest = decode(followed);
    ASSERT_TRUE(with_rest);
    EXPECT_EQ(with_rest->length, alone.length);
    EXPECT_EQ(with_rest->registers, alone.registers);
    EXPECT_EQ(with_rest->immediate, alone.immediate);
    EXPECT_EQ(with_rest->displacement, alone.displacement);
  }
}

TEST(NativeInstruction, a_sixteenth_byte_makes_it_none) {
  Bytes bytes(15, 0x66);
  bytes.push_back(0x90);
  EXPECT_FALSE(decode(bytes));
}

// The last instruction before memory that cannot be read.
TEST(NativeInstruction, nothing_beyond_the_available_bytes_is_read) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* mapped =
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  auto* memory = static_cast<std::uint8_t*>(mapped);
  ASSERT_EQ(mprotect(memory + page, page, PROT_NONE), 0);
  for (const Bytes& bytes : kVaried) {
    std::uint8_t* start = memory + page - bytes.size();
    std::ranges::copy(bytes, start);
    Instruction instruction{};
    EXPECT_TRUE(decode_instruction(start, bytes.size(), instruction));
    EXPECT_FALSE(decode_instruction(start, bytes.size() - 1, instruction));
  }
  munmap(mapped, 2 * page);
}

}  // namespace
}  // namespace bops::native
