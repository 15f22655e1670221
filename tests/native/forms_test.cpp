// Every opcode of every map with every ModRM byte, under the prefixes that matter.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iostream>
#include <vector>

#include "tests/harness/sanitized.hpp"
#include "tests/native/tally.hpp"

namespace bops::native {
namespace {

// Of ModRM bytes; coprime to the fields' sizes.
constexpr unsigned kStep = harness::kSanitized ? 7 : 1;

using Bytes = std::vector<std::uint8_t>;

// What follows: SIB, displacement, immediate, all different, none with many equal bits.
constexpr std::array<std::uint8_t, 12> kRest{0x2d, 0x34, 0x9b, 0x42, 0x49, 0xd0,
                                             0x57, 0x5e, 0x65, 0xec, 0x73, 0x7a};

void add(Tally& tally, const Bytes& prefixes, std::initializer_list<std::uint8_t> opcode,
         std::initializer_list<std::uint8_t> sib = {}) {
  std::array<std::uint8_t, 48> bytes{};
  auto end = std::ranges::copy(prefixes, bytes.begin()).out;
  end = std::ranges::copy(opcode, end).out;
  end = std::ranges::copy(sib, end).out;
  std::ranges::copy(kRest, end);
  tally.add(bytes);
}

bool has_sib(unsigned modrm) {
  return modrm < 0xc0 && (modrm & 7) == 4;
}

const std::vector<Bytes> kPrefixes{
    {},
    {0x66},
    {0xf2},
    {0xf3},
    {0x40},
    {0x48},
    {0x47},
    {0x41},
    {0x44},
    {0x4f},
    {0x66, 0x48},
    {0xf2, 0x48},
    {0xf3, 0x48},
    {0x66, 0xf2},
    {0x66, 0xf3},
    {0xf2, 0xf3},
    {0xf3, 0xf2},
    {0x67},
    {0x64},
    {0x65},
    {0x64, 0x65},
    {0x64, 0x2e},
    {0x3e},
    {0xf0},
    {0xf0, 0x48},
    {0x48, 0x66},
    {0x67, 0x48},
    {0xf3, 0x66, 0x48},
    {0xf2, 0x66, 0x49},
    {0x67, 0x66},
    {0x67, 0xf3},
    {0x65, 0xf3},
    {0x67, 0x64, 0x4d},
};

void add_legacy(Tally& tally, const Bytes& prefixes, std::uint8_t opcode, std::uint8_t modrm,
                std::initializer_list<std::uint8_t> sib) {
  const auto with = [&](std::initializer_list<std::uint8_t> bytes) {
    add(tally, prefixes, bytes, sib);
  };
  if (opcode != 0x0f) with({opcode, modrm});
  if (opcode != 0x38 && opcode != 0x3a) with({0x0f, opcode, modrm});
  with({0x0f, 0x38, opcode, modrm});
  with({0x0f, 0x3a, opcode, modrm});
}

TEST(Forms, legacy_opcodes_agree_with_zydis_under_every_combination_of_prefixes) {
  Tally tally;
  for (const Bytes& prefixes : kPrefixes) {
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
      for (unsigned modrm = 0; modrm < 256; modrm += kStep) {
        const auto code = static_cast<std::uint8_t>(opcode);
        const auto operands = static_cast<std::uint8_t>(modrm);
        add_legacy(tally, prefixes, code, operands, {});
        if (!has_sib(modrm)) continue;
        add_legacy(tally, prefixes, code, operands, {0x25});  // neither base nor index
        add_legacy(tally, prefixes, code, operands, {0x64});  // no index
        add_legacy(tally, prefixes, code, operands, {0xbc});
      }
    }
  }
  tally.expect_agreement();
  std::cout << tally.summary() << '\n';
}

// VEX and XOP: W, L, vvvv used or not, register extensions or not.
TEST(Forms, vex_and_xop_opcodes_agree_with_zydis) {
  Tally tally;
  for (unsigned map = 0; map < 32; ++map) {
    const bool sparse = map == 0 || (map > 3 && map < 8) || map > 10;
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
      for (unsigned modrm = 0; modrm < 256; modrm += sparse ? 13 : kStep) {
        for (unsigned bits = 0; bits < 32; ++bits) {
          const auto p0 = static_cast<std::uint8_t>((modrm % 2 != 0 ? 0xe0 : 0x40) | map);
          const auto p1 = static_cast<std::uint8_t>((bits & 1) << 7 | (bits & 2) << 1 |
                                                    ((bits & 4) != 0 ? 0x78 : 0x30) | bits >> 3);
          const auto code = static_cast<std::uint8_t>(opcode);
          const auto operands = static_cast<std::uint8_t>(modrm);
          if (map <= 10) add(tally, {}, {0xc4, p0, p1, code, operands});
          if (map == 1) add(tally, {}, {0xc5, p1, code, operands});
          if (map >= 8) add(tally, {}, {0x8f, p0, p1, code, operands});
        }
      }
    }
  }
  tally.expect_agreement();
  std::cout << tally.summary() << '\n';
}

// EVEX: W, L'L, b, z, a mask or none, vvvv used or not, register extensions or not.
TEST(Forms, evex_opcodes_agree_with_zydis) {
  Tally tally;
  for (unsigned map = 0; map < 8; ++map) {
    const bool sparse = map == 0 || map == 4 || map == 7;
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
      for (unsigned modrm = 0; modrm < 256; modrm += sparse ? 13 : kStep) {
        if ((modrm & 7) != 1 && (modrm & 7) != 4 && (modrm & 7) != 5) continue;
        for (unsigned bits = 0; bits < 512; ++bits) {
          const bool used = (bits & 4) != 0;
          const bool masked = (bits & 32) != 0;
          if ((bits & 64) != 0 && !masked) continue;  // zeroing needs a mask
          const auto p0 = static_cast<std::uint8_t>((used ? 0x50 : 0xf0) | map);
          const auto p1 = static_cast<std::uint8_t>((bits & 1) << 7 | 4 | (used ? 0x30 : 0x78) |
                                                    (bits >> 3 & 3));
          const auto p2 =
              static_cast<std::uint8_t>((masked ? 1 : 0) | (bits & 64) << 1 | (bits & 128) >> 3 |
                                        (bits & 2) << 5 | 8 | (bits & 256) >> 3);
          add(tally, {},
              {0x62, p0, p1, p2, static_cast<std::uint8_t>(opcode),
               static_cast<std::uint8_t>(modrm)});
        }
      }
    }
  }
  tally.expect_agreement();
  std::cout << tally.summary() << '\n';
}

TEST(Forms, x3dnow_suffixes_agree_with_zydis) {
  Tally tally;
  for (unsigned modrm = 0; modrm < 256; ++modrm) {
    for (unsigned suffix = 0; suffix < 256; ++suffix) {
      Bytes bytes(24, 0x11);
      bytes[0] = 0x0f;
      bytes[1] = 0x0f;
      bytes[2] = static_cast<std::uint8_t>(modrm);
      const bool far = modrm >> 6 == 2 || (modrm >> 6 == 0 && (modrm & 7) == 5);
      const std::size_t sib = has_sib(modrm) ? 1 : 0;
      bytes[3 + sib + (far ? 4 : modrm >> 6 == 1 ? 1 : 0)] = static_cast<std::uint8_t>(suffix);
      tally.add(bytes);
    }
  }
  tally.expect_agreement();
  EXPECT_EQ(tally.same(), 24U * 256U);
}

// A prefix may come again and again, in any order, up to fifteen bytes.
TEST(Forms, fifteen_bytes_are_the_limit_with_any_prefixes) {
  Tally tally;
  for (const std::uint8_t prefix : std::array<std::uint8_t, 12>{
           0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3, 0x41, 0x48}) {
    for (std::size_t count = 0; count <= 16; ++count) {
      for (const std::uint8_t last : std::array<std::uint8_t, 4>{prefix, 0x48, 0x66, 0x3e}) {
        Bytes prefixes(count, prefix);
        if (!prefixes.empty()) prefixes.back() = last;
        add(tally, prefixes, {0x89, 0xc8});
        add(tally, prefixes, {0x0f, 0x1f, 0x84}, {0x00});
        add(tally, prefixes, {0xb8});
        add(tally, prefixes, {0x0f, 0x10, 0x05});
        add(tally, prefixes, {0xc3});
        add(tally, prefixes, {0xa4});
        add(tally, prefixes, {0x90});
      }
    }
  }
  tally.expect_agreement();
  EXPECT_GT(tally.count(Verdict::kNeither), 0U);  // those that are too long
}

}  // namespace
}  // namespace bops::native
