// How the bytes around an opcode are laid out, as small tables: looked up rather than branched on.
#pragma once

#include <cstdint>

#include "collectors/exact/native/engine/instruction_tables.hpp"

namespace bops::native {

// Prefixes seen. The first three make the column of a mandatory prefix.
inline constexpr std::uint8_t kPrefix66 = 1, kPrefixF3 = 2, kPrefixF2 = 4, kPrefixLock = 8,
                              kPrefix67 = 16, kPrefixFs = 32, kPrefixGs = 64, kPrefixRex = 128;

// Both 0: no prefix.
struct PrefixEffect {
  std::uint8_t sets;
  std::uint8_t clears;
};

struct PrefixTable {
  PrefixEffect of[256];
};

consteval PrefixTable make_prefix_table() {
  PrefixTable table{};
  // A REX that another prefix follows has no effect.
  for (unsigned null_segment = 0x26; null_segment <= 0x3e; null_segment += 8) {
    table.of[null_segment] = {0, kPrefixRex};
  }
  table.of[0x64] = {kPrefixFs, kPrefixRex | kPrefixGs};
  table.of[0x65] = {kPrefixGs, kPrefixRex | kPrefixFs};
  table.of[0x66] = {kPrefix66, kPrefixRex};
  table.of[0x67] = {kPrefix67, kPrefixRex};
  table.of[0xf0] = {kPrefixLock, kPrefixRex};
  table.of[0xf2] = {kPrefixF2, kPrefixRex | kPrefixF3};
  table.of[0xf3] = {kPrefixF3, kPrefixRex | kPrefixF2};
  for (unsigned rex = 0x40; rex < 0x50; ++rex) table.of[rex] = {kPrefixRex, 0};
  return table;
}

inline constexpr PrefixTable kPrefixes = make_prefix_table();

// F3 and F2 win over 66, which is then the operand size.
inline constexpr std::uint8_t kColumnOf[8] = {0, 1, 2, 2, 3, 3, 3, 3};

// What the ModRM byte says about a memory operand.
struct AddressForm {
  std::uint8_t memory;
  std::uint8_t sib;
  std::uint8_t displacement;  // bytes
  std::uint8_t base;          // ModRM.rm is a base register
  std::uint8_t rip_relative;
};

struct AddressForms {
  AddressForm of[256];
};

consteval AddressForms make_address_forms() {
  AddressForms forms{};
  for (unsigned modrm = 0; modrm < 0xc0; ++modrm) {
    const unsigned mod = modrm >> 6;
    const bool sib = (modrm & 7) == 4;
    const bool rip = mod == 0 && (modrm & 7) == 5;
    const std::uint8_t displacement = mod == 1 ? 1 : mod == 2 || rip ? 4 : 0;
    forms.of[modrm] = {1, sib, displacement, !sib && !rip, rip};
  }
  return forms;
}

inline constexpr AddressForms kAddressForms = make_address_forms();

// Index of kSized: the size in bytes, and 16 if it is sign-extended.
inline constexpr std::uint8_t kSign = 16;

struct Sized {
  std::uint64_t mask;
  std::uint64_t sign;
};

struct SizedTable {
  Sized of[32];
};

consteval SizedTable make_sized_table() {
  SizedTable table{};
  for (unsigned size = 1; size <= 8; ++size) {
    const std::uint64_t mask = ~std::uint64_t{0} >> (64 - 8 * size);
    table.of[size] = {mask, 0};
    table.of[size | kSign] = {mask, mask ^ (mask >> 1)};
  }
  return table;
}

inline constexpr SizedTable kSized = make_sized_table();

// What an immediate's size depends on.
inline constexpr unsigned kOperand16 = 1, kOperand64 = 2, kAddress32 = 4;

struct ImmediateSizes {
  std::uint8_t of[11][8];
};

consteval ImmediateSizes make_immediate_sizes() {
  ImmediateSizes sizes{};
  constexpr std::uint8_t kSizes[] = {0, 1 | kSign, 1, 2, 4, 4 | kSign, 4, 3, 2, 8, 1};
  for (unsigned kind = 0; kind < 11; ++kind) {
    for (unsigned state = 0; state < 8; ++state) {
      std::uint8_t& size = sizes.of[kind][state];
      size = kSizes[kind];
      const auto is = static_cast<Immediate>(kind);
      if (is == Immediate::kOperand && (state & kOperand16) != 0) size = 2 | kSign;
      if (is == Immediate::kFull && (state & kOperand16) != 0) size = 2;
      if (is == Immediate::kFull && (state & kOperand64) != 0) size = 8;
      if (is == Immediate::kAddress && (state & kAddress32) != 0) size = 4;
    }
  }
  return sizes;
}

inline constexpr ImmediateSizes kImmediateSizes = make_immediate_sizes();

inline constexpr std::uint8_t k3dNowSuffixes[] = {0x0c, 0x0d, 0x1c, 0x1d, 0x8a, 0x8e, 0x90, 0x94,
                                                  0x96, 0x97, 0x9a, 0x9e, 0xa0, 0xa4, 0xa6, 0xa7,
                                                  0xaa, 0xae, 0xb0, 0xb4, 0xb6, 0xb7, 0xbb, 0xbf};

}  // namespace bops::native
