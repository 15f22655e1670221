#include "collectors/exact/native/engine/instruction.hpp"

#include "collectors/exact/native/engine/instruction_tables.hpp"

namespace bops::native {
namespace {

using std::size_t;
using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

constexpr unsigned kLongest = 15;
// What is read at most, whatever the bytes: 14 prefixes, EVEX, opcode, ModRM, SIB, displacement and
// an eight-byte immediate.
constexpr size_t kReadable = 40;
constexpr unsigned kRcxIndex = 1, kRdxIndex = 2, kRspIndex = 4;

// Prefixes seen. The first three make the column of a mandatory prefix.
constexpr uint8_t kPrefix66 = 1, kPrefixF3 = 2, kPrefixF2 = 4, kPrefixLock = 8, kPrefix67 = 16,
                  kPrefixFs = 32, kPrefixGs = 64, kPrefixRex = 128;

// Both 0: no prefix.
struct PrefixEffect {
  uint8_t sets;
  uint8_t clears;
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

constinit const PrefixTable kPrefixes = make_prefix_table();

// F3 and F2 win over 66, which is then the operand size.
constexpr uint8_t kColumnOf[8] = {0, 1, 2, 2, 3, 3, 3, 3};

constexpr uint8_t k3dNowSuffixes[] = {0x0c, 0x0d, 0x1c, 0x1d, 0x8a, 0x8e, 0x90, 0x94,
                                      0x96, 0x97, 0x9a, 0x9e, 0xa0, 0xa4, 0xa6, 0xa7,
                                      0xaa, 0xae, 0xb0, 0xb4, 0xb6, 0xb7, 0xbb, 0xbf};

template <typename Integer>
Integer load(const uint8_t* at) {
  Integer value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}

// The extension bits of REX, or of what stands for it in VEX, EVEX and XOP.
constexpr unsigned kW = 8, kR = 4, kX = 2, kB = 1;

// The operand bits of the encoding, whatever its prefix.
struct Encoding {
  unsigned extension = 0;  // W R X B
  unsigned vvvv = 0;
  unsigned column = 0;
  Map map = Map::kOneByte;
  bool legacy = true;
};

constexpr unsigned kNoMap = 0xff;

// What is looked at only if an instruction has one of them.
constexpr uint32_t kRare = kMemoryOnly | kRegisterOnly | kVectorIndex | kNeedsSib | kShiftCount |
                           kOverwritesRdx | kClearing | kMayBeNop | kOddImmediate;

// Reads VEX, EVEX or XOP at `at`; returns its length, 0 if it is none that we know.
unsigned read_vector_prefix(const uint8_t* at, Encoding& encoding) {
  encoding.legacy = false;
  const unsigned p0 = at[1];
  if (at[0] == 0xc5) {
    encoding.extension = (~p0 >> 5) & kR;
    encoding.vvvv = (~p0 >> 3) & 15;
    encoding.column = p0 & 3;
    encoding.map = Map::kVex1;
    return 2;
  }
  const unsigned p1 = at[2];
  encoding.extension = ((~p0 >> 5) & 7) | ((p1 >> 4) & kW);
  encoding.vvvv = (~p1 >> 3) & 15;
  encoding.column = p1 & 3;
  if (at[0] == 0x62) {
    constexpr uint8_t kMaps[8] = {kNoMap,
                                  static_cast<uint8_t>(Map::kEvex1),
                                  static_cast<uint8_t>(Map::kEvex2),
                                  static_cast<uint8_t>(Map::kEvex3),
                                  kNoMap,
                                  static_cast<uint8_t>(Map::kEvex5),
                                  static_cast<uint8_t>(Map::kEvex6),
                                  kNoMap};
    const unsigned map = kMaps[p0 & 7];
    if (map == kNoMap || (p0 & 8) != 0 || (p1 & 4) == 0) return 0;
    encoding.map = static_cast<Map>(map);
    return 4;
  }
  const unsigned map = p0 & 31;
  if (at[0] == 0x8f) {
    if (map > 10 || encoding.column != 0) return 0;  // below 8 it is pop
    encoding.map = static_cast<Map>(static_cast<unsigned>(Map::kXop8) + map - 8);
    return 3;
  }
  if (map == 7) {
    encoding.map = Map::kVex7;
  } else if (map >= 1 && map <= 3) {
    encoding.map = static_cast<Map>(static_cast<unsigned>(Map::kVex1) + map - 1);
  } else {
    return 0;
  }
  return 3;
}

// What the ModRM byte says about a memory operand.
struct AddressForm {
  uint8_t memory;
  uint8_t sib;
  uint8_t displacement;  // bytes
  uint8_t base;          // ModRM.rm is a base register
  uint8_t rip_relative;
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
    const uint8_t displacement = mod == 1 ? 1 : mod == 2 || rip ? 4 : 0;
    forms.of[modrm] = {1, sib, displacement, !sib && !rip, rip};
  }
  return forms;
}

constinit const AddressForms kAddressForms = make_address_forms();

// Index of kSized: the size in bytes, and 16 if it is sign-extended.
constexpr uint8_t kSign = 16;

struct Sized {
  uint64_t mask;
  uint64_t sign;
};

struct SizedTable {
  Sized of[32];
};

consteval SizedTable make_sized_table() {
  SizedTable table{};
  for (unsigned size = 1; size <= 8; ++size) {
    const uint64_t mask = ~uint64_t{0} >> (64 - 8 * size);
    table.of[size] = {mask, 0};
    table.of[size | kSign] = {mask, mask ^ (mask >> 1)};
  }
  return table;
}

constinit const SizedTable kSized = make_sized_table();

int64_t load_sized(const uint8_t* at, unsigned size_and_sign) {
  const Sized sized = kSized.of[size_and_sign];
  return static_cast<int64_t>(((load<uint64_t>(at) & sized.mask) ^ sized.sign) - sized.sign);
}

// What an immediate's size depends on.
constexpr unsigned kOperand16 = 1, kOperand64 = 2, kAddress32 = 4;

struct ImmediateSizes {
  uint8_t of[11][8];
};

consteval ImmediateSizes make_immediate_sizes() {
  ImmediateSizes sizes{};
  constexpr uint8_t kSizes[] = {0, 1 | kSign, 1, 2, 4, 4 | kSign, 4, 3, 2, 8, 1};
  for (unsigned kind = 0; kind < 11; ++kind) {
    for (unsigned state = 0; state < 8; ++state) {
      uint8_t& size = sizes.of[kind][state];
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

constinit const ImmediateSizes kImmediateSizes = make_immediate_sizes();

bool known_3dnow(uint8_t suffix) {
  bool known = false;
  for (const uint8_t one : k3dNowSuffixes) known |= one == suffix;
  return known;
}

bool is_prefix(uint8_t byte) {
  return (kPrefixes.of[byte].sets | kPrefixes.of[byte].clears) != 0;
}

// Where an instruction's parts are, once the prefixes are read.
struct Parts {
  const uint8_t* bytes;
  size_t available;
  unsigned prefixes;
  unsigned prefix_size;
  unsigned at;  // of the opcode
  Encoding encoding;
};

const Form* form_of(const Encoding& encoding, unsigned opcode) {
  const InstructionTables& tables = kInstructionTables;
  return &tables.forms[tables.opcodes[static_cast<size_t>(encoding.map)][encoding.column][opcode]];
}

const Form* form_in_group(const Form& form, unsigned modrm, unsigned column) {
  const InstructionTables& tables = kInstructionTables;
  modrm |= form.modrm_or;
  const unsigned entry = modrm < 0xc0 ? (modrm >> 3) & 7 : 8 + (modrm & 63);
  const size_t group = static_cast<size_t>(form.group) - kFirstGroup;
  return &tables.forms[tables.groups[group][column][entry]];
}

// Moves on to the opcode that an escape leads to. False: there is none.
bool follow_escape(Parts& parts) {
  const uint8_t* at = parts.bytes + parts.at;
  if (parts.encoding.map == Map::k0f) {
    parts.encoding.map = *at == 0x38 ? Map::k0f38 : Map::k0f3a;
    ++parts.at;
    return true;
  }
  constexpr unsigned kNotBefore = kPrefixRex | kPrefix66 | kPrefixF3 | kPrefixF2 | kPrefixLock;
  if ((parts.prefixes & kNotBefore) != 0) return false;
  const unsigned size = read_vector_prefix(at, parts.encoding);
  parts.at += size;
  return size != 0;
}

// What only few instructions need. False: no such instruction.
bool finish_rare(const Form& form, const Parts& parts, unsigned modrm, bool sib, unsigned end,
                 Instruction& instruction, uint32_t& read, uint32_t& overwritten) {
  const uint32_t traits = form.traits;
  const bool memory = modrm < 0xc0;
  if ((traits & (memory ? kRegisterOnly : kMemoryOnly)) != 0) return false;
  if ((traits & (kVectorIndex | kNeedsSib)) != 0 && !sib) return false;
  // A byte's shift count has five bits even if REX.W is there.
  const bool six_bits = (parts.encoding.extension & kW) != 0 && (traits & kByteRm) == 0;
  const int64_t count = instruction.immediate & (six_bits ? 63 : 31);
  if ((traits & kShiftCount) != 0 && count == 0) instruction.flags_killed = 0;
  if ((traits & kOverwritesRdx) != 0) overwritten = 1U << kRdxIndex;
  if ((traits & kClearing) != 0 && !memory && (read & (read - 1)) == 0) {  // one register only
    overwritten = read;
    read = 0;
  }
  // xchg rax with itself is nop, and pause.
  const unsigned opcode = parts.bytes[parts.at];
  if ((traits & kMayBeNop) != 0 && opcode == 0x90 && read == 1) read = 0;
  if (form.immediate == Immediate::kAddress) {
    instruction.displacement_offset = instruction.immediate_offset;
    instruction.displacement_size = instruction.immediate_size;
    instruction.displacement = static_cast<std::int32_t>(instruction.immediate);
    instruction.immediate_size = 0;
  } else if (form.immediate == Immediate::kSuffix) {
    if (!known_3dnow(parts.bytes[end - 1])) return false;
    instruction.immediate_size = 0;
    instruction.immediate = 0;
  }
  return true;
}

// What legacy prefixes change. False: no such instruction.
bool finish_prefixes(const Form& form, unsigned prefixes, bool memory, bool accesses,
                     bool operand_16, Instruction& instruction, uint32_t& read) {
  const uint32_t traits = form.traits;
  if (operand_16 && (traits & kNearBranch) != 0) return false;
  const bool segment = accesses || (traits & kImplicitSegment) != 0;
  instruction.fs_segment = segment && (prefixes & kPrefixFs) != 0;
  instruction.gs_segment = segment && (prefixes & kPrefixGs) != 0;
  const bool address = memory || (traits & kImplicitMemory) != 0 || form.control == Control::kLoop;
  instruction.address_size_32 = address && (prefixes & kPrefix67) != 0;
  instruction.locked = (prefixes & kPrefixLock) != 0;
  instruction.repeated = (traits & kString) != 0 && (prefixes & (kPrefixF2 | kPrefixF3)) != 0;
  if (instruction.repeated) {  // perhaps not even once
    read |= 1U << kRcxIndex;
    instruction.flags_killed = 0;
  }
  return true;
}

// Everything behind the opcode. `plain`: a legacy encoding with no prefix but REX, which nearly all
// are. There are few branches, as those on an instruction's form are mispredicted, and that costs
// more than all the rest.
template <bool plain>
[[gnu::always_inline]] inline bool finish(const Form& form, const Parts& parts,
                                          Instruction& instruction) {
  const uint8_t* bytes = parts.bytes;
  const unsigned prefixes = parts.prefixes;
  const unsigned extension = parts.encoding.extension;
  const bool has_rex = (prefixes & kPrefixRex) != 0;
  const bool legacy = plain || parts.encoding.legacy;
  const bool operand_16 = !plain && legacy && (extension & kW) == 0 && (prefixes & kPrefix66) != 0;
  const uint32_t traits = form.traits;

  // ModRM, SIB, displacement.
  unsigned at = parts.at + 1;
  const unsigned modrm = bytes[at] | form.modrm_or;
  const unsigned has_modrm = traits & kModrm;
  const AddressForm address = kAddressForms.of[modrm];
  instruction.modrm_offset = static_cast<uint8_t>(at & (0U - has_modrm));
  at += has_modrm;
  const unsigned b = (extension & kB) << 3;
  unsigned rm = (modrm & 7) | b;
  uint32_t read = form.implicit | uint32_t{address.base} << rm;
  unsigned displacement_size = address.displacement;
  if (address.sib != 0) {
    const unsigned sib = bytes[at++];
    const unsigned index = ((sib >> 3) & 7) | ((extension & kX) << 2);
    const bool no_base = (sib & 7) == 5 && modrm < 0x40;
    if (no_base) displacement_size = 4;
    read |= uint32_t{!no_base} << ((sib & 7) | b);
    read |= uint32_t{index != 4 && (traits & kVectorIndex) == 0} << index;
  }
  instruction.rip_relative = address.rip_relative != 0;
  instruction.displacement_offset = static_cast<uint8_t>(at);
  instruction.displacement_size = static_cast<uint8_t>(displacement_size);
  instruction.displacement =
      static_cast<std::int32_t>(load_sized(bytes + at, displacement_size | kSign));
  at += displacement_size;

  // Immediate.
  const unsigned state = (operand_16 ? kOperand16 : 0) | ((extension & kW) / kW) * kOperand64 |
                         (!plain && (prefixes & kPrefix67) != 0 ? kAddress32 : 0);
  const unsigned sized = kImmediateSizes.of[static_cast<unsigned>(form.immediate)][state];
  instruction.immediate = load_sized(bytes + at, sized);
  instruction.immediate_offset = static_cast<uint8_t>(at);
  instruction.immediate_size = sized & 15;
  at += sized & 15;
  if (at > kLongest || at > parts.available) return false;
  instruction.length = static_cast<uint8_t>(at);

  instruction.rex = static_cast<uint8_t>(legacy && has_rex ? 0x40 | extension : 0);
  instruction.prefix_size = static_cast<uint8_t>(parts.prefix_size);
  instruction.control = form.control;
  instruction.condition = form.condition;
  instruction.flags_read = form.flags_read;
  instruction.flags_killed = form.flags_killed;
  instruction.fs_segment = false;
  instruction.gs_segment = false;
  instruction.address_size_32 = false;
  instruction.repeated = false;
  instruction.locked = false;

  // Registers.
  unsigned reg = ((modrm >> 3) & 7) | ((extension & kR) << 1);
  unsigned other =
      plain || (traits & kOpcodeRegister) != 0 ? (bytes[parts.at] & 7U) | b : parts.encoding.vvvv;
  if (!has_rex && (traits & (kByteReg | kByteRm)) != 0) {  // AH, CH, DH, BH are 4 to 7
    if ((traits & kByteReg) != 0) reg &= 3;
    if ((traits & kByteRm) != 0) rm &= 3;
    if ((traits & kByteRm) != 0) other &= 3;
  }
  const unsigned absent = address.memory * kRmOperand;
  const unsigned uses = form.used & ~absent;
  const unsigned overwrites = form.overwritten & ~absent;
  read |= (uses & 1) << reg | (uses >> 1 & 1) << rm | (uses >> 2) << other;
  uint32_t overwritten =
      (overwrites & 1) << reg | (overwrites >> 1 & 1) << rm | (overwrites >> 2) << other;

  const bool memory = address.memory != 0;
  const bool accesses = memory && (traits & kNoAccess) == 0;
  if (!plain && !finish_prefixes(form, prefixes, memory, accesses, operand_16, instruction, read)) {
    return false;
  }
  if ((traits & kRare) != 0 &&
      !finish_rare(form, parts, modrm, address.sib != 0, at, instruction, read, overwritten)) {
    return false;
  }
  instruction.registers = static_cast<uint16_t>(read | overwritten);
  const bool whole = !accesses && (!operand_16 || (traits & kWhole) != 0);
  const uint32_t dead = whole ? overwritten & ~read & ~(1U << kRspIndex) : 0;
  instruction.overwritten = static_cast<std::int8_t>(dead == 0 ? -1 : __builtin_ctz(dead));
  return true;
}

// With any prefix and any escape.
bool decode_any(Parts& parts, Instruction& instruction) {
  const uint8_t* bytes = parts.bytes;
  unsigned prefixes = 0;
  unsigned at = 0;
  for (; is_prefix(bytes[at]); ++at) {
    if (at + 1 == kLongest) return false;
    const PrefixEffect effect = kPrefixes.of[bytes[at]];
    prefixes = (prefixes & ~unsigned{effect.clears}) | effect.sets;
  }
  parts.prefixes = prefixes;
  parts.prefix_size = at;
  Encoding& encoding = parts.encoding;
  encoding.extension = (prefixes & kPrefixRex) != 0 ? bytes[at - 1] & 15U : 0;
  encoding.map = Map::kOneByte;
  if (bytes[at] == 0x0f) {
    encoding.map = Map::k0f;
    encoding.column = kColumnOf[prefixes & 7];
    ++at;
  }
  parts.at = at;
  const Form* form = form_of(encoding, bytes[at]);
  if (form->group == Map::kEscape) {
    if (bytes[at] == 0x8f && (bytes[at + 1] & 31) < 8) {  // pop
      encoding.column = 1;
    } else if (!follow_escape(parts)) {
      return false;
    }
    form = form_of(encoding, bytes[parts.at]);
    if (encoding.map == Map::kOneByte) encoding.column = 0;
  }
  if (form->group != Map::kNoGroup) {
    form = form_in_group(*form, bytes[parts.at + 1], encoding.column);
  }
  if (form == kInstructionTables.forms) return false;
  return finish<false>(*form, parts, instruction);
}

}  // namespace

bool decode_instruction(const uint8_t* code, size_t available, Instruction& instruction) {
  uint8_t padded[kReadable];
  Parts parts{};
  parts.bytes = code;
  parts.available = available;
  if (available < kReadable) {
    for (size_t i = 0; i < kReadable; ++i) padded[i] = i < available ? code[i] : uint8_t{0};
    parts.bytes = padded;
  }
  const uint8_t* bytes = parts.bytes;
  const unsigned rex = bytes[0] >> 4 == 4 ? 1 : 0;
  if (is_prefix(bytes[rex])) return decode_any(parts, instruction);
  const unsigned escape = bytes[rex] == 0x0f ? 1 : 0;
  parts.prefixes = rex * kPrefixRex;
  parts.prefix_size = rex;
  parts.at = rex + escape;
  parts.encoding.extension = bytes[0] & (0U - rex) & 15;
  parts.encoding.map = static_cast<Map>(escape);  // kOneByte, k0f
  const Form* form = form_of(parts.encoding, bytes[parts.at]);
  if (form->group != Map::kNoGroup) {
    if (form->group == Map::kEscape) {
      parts.encoding = Encoding{};
      return decode_any(parts, instruction);
    }
    form = form_in_group(*form, bytes[parts.at + 1], 0);
  }
  if (form == kInstructionTables.forms) return false;
  return finish<true>(*form, parts, instruction);
}

}  // namespace bops::native
