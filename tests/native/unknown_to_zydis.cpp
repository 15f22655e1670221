#include "tests/native/unknown_to_zydis.hpp"

#include <algorithm>
#include <array>

#include "tests/native/zydis_comparison.hpp"

namespace bops::native {
namespace {

constexpr unsigned kNp = 1, k66 = 2, kF3 = 4, kF2 = 8, kAny = 15;

struct NewerOpcode {
  char encoding;  // '0' legacy, 'V' VEX
  unsigned map;
  unsigned prefixes;
  unsigned first;
  unsigned last;
};

constexpr NewerOpcode kNewer[] = {
    {'0', 1, kF2, 0x00, 0x00},        // lkgs
    {'0', 1, kAny, 0x01, 0x01},       // wrmsrns, rdmsrlist, wrmsrlist, pbndkb, erets, eretu
    {'0', 2, kF2 | kF3, 0xf8, 0xf8},  // urdmsr, uwrmsr
    {'0', 2, kAny, 0xfc, 0xfc},       // aadd, aand, aor, axor
    {'V', 2, kAny, 0x50, 0x51},       // AVX-VNNI-INT8
    {'V', 2, kAny, 0xd2, 0xd3},       // AVX-VNNI-INT16
    {'V', 2, kF3, 0x72, 0x72},        // AVX-NE-CONVERT
    {'V', 2, kAny, 0xb0, 0xb1},       //
    {'V', 2, k66, 0xb4, 0xb5},        // AVX-IFMA
    {'V', 2, kAny, 0xda, 0xda},       // SM3, SM4
    {'V', 2, kF2, 0xcb, 0xcd},        // SHA512
    {'V', 2, k66, 0xe0, 0xef},        // CMPccXADD
    {'V', 2, kF2, 0x5c, 0x5c},        // AMX-FP16
    {'V', 2, kNp | k66, 0x6c, 0x6c},  // AMX-COMPLEX
    {'V', 3, k66, 0xde, 0xde},        // SM3
    {'V', 7, kF2 | kF3, 0xf8, 0xf8},  // urdmsr, uwrmsr
};

struct Opcode {
  char encoding = '0';  // 'V', 'E', 'X'
  unsigned map = 0;
  unsigned prefix = kNp;
  unsigned opcode = 0;
};

Opcode opcode_of(std::span<const std::uint8_t> bytes, const Instruction& ours) {
  const std::uint8_t* at = bytes.data() + ours.prefix_size;
  constexpr std::array<unsigned, 4> kCompressed{kNp, k66, kF3, kF2};
  switch (at[0]) {
    case 0xc5: return {'V', 1, kCompressed[at[1] & 3], at[2]};
    case 0xc4: return {'V', at[1] & 31U, kCompressed[at[2] & 3], at[3]};
    case 0x62: return {'E', at[1] & 7U, kCompressed[at[2] & 3], at[4]};
    default: break;
  }
  if (at[0] == 0x8f && (at[1] & 31) >= 8) return {'X', at[1] & 31U, kCompressed[at[2] & 3], at[3]};
  Opcode found;
  for (const std::uint8_t prefix : bytes.first(ours.prefix_size)) {
    if (prefix == 0x66 && found.prefix == kNp) found.prefix = k66;
    if (prefix == 0xf3) found.prefix = kF3;
    if (prefix == 0xf2) found.prefix = kF2;
  }
  if (at[0] != 0x0f) {
    found.opcode = at[0];
  } else {
    found.map = at[1] == 0x38 ? 2 : at[1] == 0x3a ? 3 : 1;
    found.opcode = at[found.map == 1 ? 1 : 2];
  }
  return found;
}

bool zydis_knows(std::span<const std::uint8_t> bytes, unsigned length) {
  const Comparison comparison = compare_with_zydis(bytes);
  return comparison.verdict == Verdict::kSame && comparison.length == length;
}

}  // namespace

bool UnknownToZydis::without_lock(std::span<const std::uint8_t> bytes, const Instruction& ours) {
  std::vector<std::uint8_t> rest(bytes.begin(), bytes.end());
  // By a prefix without effect, so that a REX before it keeps having none.
  std::replace(rest.begin(), rest.begin() + ours.prefix_size, std::uint8_t{0xf0},
               std::uint8_t{0x26});
  if (zydis_knows(rest, ours.length)) return true;
  Instruction unlocked{};
  return decode_instruction(rest.data(), rest.size(), unlocked) && !unlocked.locked &&
         unlocked.length == ours.length && reason(rest, unlocked) != Reason::kNone;
}

// Tries other values of the fields that may be reserved: register extensions, W, vector length,
// vvvv, and of EVEX z, b and aaa; and other registers, where they must differ.
bool UnknownToZydis::other_field(std::span<const std::uint8_t> bytes, const Instruction& ours) {
  const unsigned at = ours.prefix_size;
  const Opcode opcode = opcode_of(bytes, ours);
  if (opcode.encoding == '0') return false;
  const std::size_t modrm_at = ours.modrm_offset != 0 ? ours.modrm_offset : bytes.size();
  const std::uint8_t modrm = modrm_at < bytes.size() ? bytes[modrm_at] : std::uint8_t{0};
  const std::vector<std::uint8_t> key{
      static_cast<std::uint8_t>(opcode.encoding), static_cast<std::uint8_t>(opcode.map),
      static_cast<std::uint8_t>(opcode.prefix),   static_cast<std::uint8_t>(opcode.opcode),
      static_cast<std::uint8_t>(modrm >> 6),      static_cast<std::uint8_t>((modrm & 7) == 4),
      static_cast<std::uint8_t>(ours.length - at)};
  if (explained_.contains(key)) return true;
  if (bytes[at] == 0xc5) {  // as three bytes, where more can be varied
    std::vector<std::uint8_t> longer(bytes.begin(), bytes.begin() + at);
    longer.push_back(0xc4);
    longer.push_back(static_cast<std::uint8_t>((bytes[at + 1] & 0x80) | 0x61));
    longer.push_back(bytes[at + 1] & 0x7f);
    longer.insert(longer.end(), bytes.begin() + at + 2, bytes.end());
    Instruction same{};
    if (!decode_instruction(longer.data(), longer.size(), same) || same.length != ours.length + 1) {
      return false;
    }
    if (!other_field(longer, same)) return false;
    explained_.insert(key);
    return true;
  }
  std::vector<std::uint8_t> varied(bytes.begin(), bytes.end());
  const bool evex = opcode.encoding == 'E';
  const std::uint8_t p0 = bytes[at + 1];
  const std::uint8_t p1 = bytes[at + 2];
  for (unsigned choice = 0; choice < 1U << 14; ++choice) {
    const auto bit = [choice](unsigned which) { return (choice >> which & 1U) != 0; };
    varied[at + 1] = bit(0) ? static_cast<std::uint8_t>(p0 | 0xe0 | (evex ? 0x10 : 0)) : p0;
    const unsigned vvvv = bit(1) ? 0x78 : bit(2) ? 0x50 : p1 & 0x78U;
    const unsigned wide = bit(3) ? 0x80 : 0;
    if (evex) {
      varied[at + 2] = static_cast<std::uint8_t>((p1 & 7U) | vvvv | wide);
      varied[at + 3] = static_cast<std::uint8_t>((bit(4) ? 0x20 : 0) | (bit(5) ? 0x40 : 0) |
                                                 (bit(6) ? 0x10 : 0) | (bit(7) ? 1 : 0) | 8);
      if (bit(8) || bit(9) || bit(10)) continue;
    } else {
      varied[at + 2] = static_cast<std::uint8_t>((p1 & 3U) | vvvv | wide | (bit(4) ? 4U : 0U));
      if (bit(5) || bit(6) || bit(7) || bit(8) || bit(9) || bit(10)) continue;
    }
    if (modrm_at < bytes.size()) {
      varied[modrm_at] = static_cast<std::uint8_t>((modrm & 0xc7U) | (choice >> 11) << 3);
    }
    if (zydis_knows(varied, ours.length)) {
      explained_.insert(key);
      return true;
    }
  }
  return false;
}

Reason UnknownToZydis::reason(std::span<const std::uint8_t> bytes, const Instruction& ours) {
  if (ours.locked) return without_lock(bytes, ours) ? Reason::kLock : Reason::kNone;
  const Opcode opcode = opcode_of(bytes, ours);
  if (opcode.encoding == '0' && opcode.map == 1 && (opcode.opcode & ~1U) == 0x1a) {
    return Reason::kBoundNop;
  }
  if (opcode.encoding == '0' && opcode.map == 1 && opcode.opcode >= 0x20 && opcode.opcode < 0x24) {
    return Reason::kReservedField;  // a control or debug register that does not exist
  }
  const bool newer = std::ranges::any_of(kNewer, [&opcode](const NewerOpcode& row) {
    return row.encoding == opcode.encoding && row.map == opcode.map &&
           (row.prefixes & opcode.prefix) != 0 && opcode.opcode >= row.first &&
           opcode.opcode <= row.last;
  });
  if (newer) return Reason::kNewer;
  return other_field(bytes, ours) ? Reason::kReservedField : Reason::kNone;
}

}  // namespace bops::native
