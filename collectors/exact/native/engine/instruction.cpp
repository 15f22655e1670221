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

struct PrefixEffect {
  bool prefix;
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
    table.of[null_segment] = {true, 0, kPrefixRex};
  }
  table.of[0x64] = {true, kPrefixFs, kPrefixRex | kPrefixGs};
  table.of[0x65] = {true, kPrefixGs, kPrefixRex | kPrefixFs};
  table.of[0x66] = {true, kPrefix66, kPrefixRex};
  table.of[0x67] = {true, kPrefix67, kPrefixRex};
  table.of[0xf0] = {true, kPrefixLock, kPrefixRex};
  table.of[0xf2] = {true, kPrefixF2, kPrefixRex | kPrefixF3};
  table.of[0xf3] = {true, kPrefixF3, kPrefixRex | kPrefixF2};
  for (unsigned rex = 0x40; rex < 0x50; ++rex) table.of[rex] = {true, kPrefixRex, 0};
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

// AH, CH, DH, BH are the numbers 4 to 7 where no REX prefix makes them SPL ... DIL.
unsigned register_number(unsigned number, bool high_bytes) {
  return high_bytes && number < 8 ? number & 3 : number;
}

// What the ModRM byte says about a memory operand.
struct AddressForm {
  uint8_t memory;
  uint8_t sib;
  uint8_t displacement;  // bytes
  uint8_t base;          // ModRM.rm is a base register
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
    forms.of[modrm] = {1, sib, displacement, !sib && !rip};
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

// All prefixes but a lone REX. Returns their length, kLongest if there are too many.
unsigned read_prefixes(const uint8_t* bytes, unsigned& prefixes) {
  prefixes = 0;
  unsigned at = 0;
  for (; at < kLongest; ++at) {
    const PrefixEffect effect = kPrefixes.of[bytes[at]];
    if (!effect.prefix) break;
    prefixes = (prefixes & ~unsigned{effect.clears}) | effect.sets;
  }
  return at;
}

const Form* form_of(const Encoding& encoding, unsigned opcode) {
  const InstructionTables& tables = kInstructionTables;
  return &tables.forms[tables.opcodes[static_cast<size_t>(encoding.map)][encoding.column][opcode]];
}

// Follows an escape and a group to the instruction's row. `at` is the opcode's place, and becomes
// the place of the escaped one. Null: no such instruction.
const Form* follow(const Form* form, const uint8_t* bytes, unsigned prefixes, Encoding& encoding,
                   unsigned& at) {
  const InstructionTables& tables = kInstructionTables;
  if (form->group == Map::kEscape) {
    const unsigned opcode = bytes[at];
    if (encoding.map == Map::k0f) {
      encoding.map = opcode == 0x38 ? Map::k0f38 : Map::k0f3a;
      ++at;
      form = form_of(encoding, bytes[at]);
    } else if (opcode == 0x8f && (bytes[at + 1] & 31) < 8) {
      form = &tables.forms[tables.opcodes[static_cast<size_t>(Map::kOneByte)][1][opcode]];
    } else {
      constexpr unsigned kNotBefore = kPrefixRex | kPrefix66 | kPrefixF3 | kPrefixF2 | kPrefixLock;
      if ((prefixes & kNotBefore) != 0) return nullptr;
      const unsigned size = read_vector_prefix(bytes + at, encoding);
      if (size == 0) return nullptr;
      at += size;
      form = form_of(encoding, bytes[at]);
    }
    if (form->group == Map::kNoGroup) return form;
  }
  const unsigned modrm = bytes[at + 1];
  const bool memory = modrm < 0xc0 && (form->traits & kModIgnored) == 0;
  const unsigned entry = memory ? (modrm >> 3) & 7 : 8 + (modrm & 63);
  const size_t group = static_cast<size_t>(form->group) - kFirstGroup;
  return &tables.forms[tables.groups[group][encoding.column][entry]];
}

}  // namespace

// There are few branches on the common way: those on an instruction's form are mispredicted, which
// costs more than all the rest.
bool decode_instruction(const uint8_t* code, size_t available, Instruction& instruction) {
  uint8_t padded[kReadable];
  const uint8_t* bytes = code;
  if (available < kReadable) {
    for (size_t i = 0; i < kReadable; ++i) padded[i] = i < available ? code[i] : uint8_t{0};
    bytes = padded;
  }

  Encoding encoding;
  const unsigned lone_rex = (bytes[0] >> 4) == 4 ? 1 : 0;
  unsigned prefixes = lone_rex * kPrefixRex;
  unsigned prefix_size = lone_rex;
  unsigned column = 0;
  if (kPrefixes.of[bytes[lone_rex]].prefix) {
    prefix_size = read_prefixes(bytes, prefixes);
    if (prefix_size == kLongest) return false;
    column = kColumnOf[prefixes & 7];
  }
  const unsigned has_rex = (prefixes / kPrefixRex) & 1;
  encoding.extension = bytes[prefix_size - has_rex] & 15 & (0U - has_rex);
  const unsigned escape = bytes[prefix_size] == 0x0f ? 1 : 0;
  unsigned at = prefix_size + escape;
  encoding.map = static_cast<Map>(escape);  // kOneByte, k0f
  encoding.column = column & (0U - escape);
  const Form* form = form_of(encoding, bytes[at]);
  if (form->group != Map::kNoGroup) {
    form = follow(form, bytes, prefixes, encoding, at);
    if (form == nullptr) return false;
  }
  if (form == kInstructionTables.forms) return false;
  const unsigned opcode = bytes[at];
  ++at;

  const uint32_t traits = form->traits;
  const unsigned has_modrm = (traits & kModrm) != 0 ? 1 : 0;
  unsigned modrm = has_modrm != 0 ? bytes[at] : 0xc0U;
  modrm |= (traits & kModIgnored) != 0 ? 0xc0U : 0;
  const unsigned wide = (encoding.extension / kW) & 1;
  const bool operand_16 = encoding.legacy && wide == 0 && (prefixes & kPrefix66) != 0;
  const bool address_32 = (prefixes & kPrefix67) != 0;

  // ModRM, SIB, displacement.
  const AddressForm address = kAddressForms.of[modrm];
  const bool memory = address.memory != 0;
  instruction.modrm_offset = static_cast<uint8_t>(has_modrm * at);
  at += has_modrm;
  const unsigned rm = (modrm & 7) | ((encoding.extension & kB) << 3);
  uint32_t read = form->implicit | uint32_t{address.base} << rm;
  unsigned displacement_size = address.displacement;
  if (address.sib != 0) {
    const unsigned sib = bytes[at++];
    const unsigned index = ((sib >> 3) & 7) | ((encoding.extension & kX) << 2);
    const bool no_base = (sib & 7) == 5 && modrm < 0x40;
    if (no_base) displacement_size = 4;
    read |= uint32_t{!no_base} << ((sib & 7) | ((encoding.extension & kB) << 3));
    read |= uint32_t{index != 4 && (traits & kVectorIndex) == 0} << index;
  }
  instruction.displacement_offset = static_cast<uint8_t>(displacement_size != 0 ? at : 0);
  instruction.displacement_size = static_cast<uint8_t>(displacement_size);
  instruction.displacement =
      static_cast<std::int32_t>(load_sized(bytes + at, displacement_size | kSign));
  instruction.rip_relative = memory && (address.base | address.sib) == 0;
  at += displacement_size;

  // Immediate.
  const unsigned state =
      (operand_16 ? kOperand16 : 0) | wide * kOperand64 | (address_32 ? kAddress32 : 0);
  const unsigned sized = kImmediateSizes.of[static_cast<unsigned>(form->immediate)][state];
  const unsigned immediate_size = sized & 15;
  instruction.immediate = load_sized(bytes + at, sized);
  instruction.immediate_offset = static_cast<uint8_t>(immediate_size != 0 ? at : 0);
  instruction.immediate_size = static_cast<uint8_t>(immediate_size);
  at += immediate_size;
  if (at > kLongest || at > available) return false;
  instruction.length = static_cast<uint8_t>(at);

  instruction.control = form->control;
  instruction.rex =
      static_cast<uint8_t>(encoding.legacy && has_rex != 0 ? 0x40 | encoding.extension : 0);
  instruction.prefix_size = static_cast<uint8_t>(prefix_size);
  instruction.condition = form->condition;
  instruction.flags_read = form->flags_read;
  instruction.flags_killed = form->flags_killed;

  // Registers.
  const unsigned reg = ((modrm >> 3) & 7) | ((encoding.extension & kR) << 1);
  const bool high_reg = (traits & kByteReg) != 0 && has_rex == 0;
  const bool high_rm = (traits & kByteRm) != 0 && has_rex == 0;
  const bool in_opcode = (traits & kOpcodeRegister) != 0;
  const unsigned in_opcode_number = (opcode & 7) | ((encoding.extension & kB) << 3);
  const unsigned other = in_opcode ? register_number(in_opcode_number, high_rm) : encoding.vvvv;
  const uint32_t reg_bit = 1U << register_number(reg, high_reg);
  const uint32_t rm_bit = memory ? 0 : 1U << register_number(rm, high_rm);
  const uint32_t other_bit = 1U << other;
  const auto of = [](Access is, Access wanted, uint32_t bit) { return is == wanted ? bit : 0; };
  read |= of(form->reg, Access::kUse, reg_bit) | of(form->rm, Access::kUse, rm_bit) |
          of(form->other, Access::kUse, other_bit);
  uint32_t overwritten = of(form->reg, Access::kOverwrite, reg_bit) |
                         of(form->rm, Access::kOverwrite, rm_bit) |
                         of(form->other, Access::kOverwrite, other_bit);

  const bool accesses = memory && (traits & kNoAccess) == 0;
  instruction.fs_segment = false;
  instruction.gs_segment = false;
  instruction.address_size_32 = false;
  instruction.repeated = false;
  instruction.locked = false;
  if ((prefixes & ~unsigned{kPrefixRex}) != 0) {
    if (operand_16 && (traits & kNearBranch) != 0) return false;
    const bool segment = accesses || (traits & kImplicitSegment) != 0;
    instruction.fs_segment = segment && (prefixes & kPrefixFs) != 0;
    instruction.gs_segment = segment && (prefixes & kPrefixGs) != 0;
    instruction.address_size_32 = address_32 && (memory || (traits & kImplicitMemory) != 0 ||
                                                 form->control == Control::kLoop);
    instruction.locked = (prefixes & kPrefixLock) != 0;
    instruction.repeated = (traits & kString) != 0 && (prefixes & (kPrefixF2 | kPrefixF3)) != 0;
    if (instruction.repeated) {  // perhaps not even once
      read |= 1U << kRcxIndex;
      instruction.flags_killed = 0;
    }
  }
  if ((traits & kRare) != 0) {
    if ((traits & (memory ? kRegisterOnly : kMemoryOnly)) != 0) return false;
    if ((traits & (kVectorIndex | kNeedsSib)) != 0 && address.sib == 0) return false;
    // A byte's shift count has five bits even if REX.W is there.
    const int64_t count_bits = wide != 0 && (traits & kByteRm) == 0 ? 63 : 31;
    if ((traits & kShiftCount) != 0 && (instruction.immediate & count_bits) == 0) {
      instruction.flags_killed = 0;
    }
    if ((traits & kOverwritesRdx) != 0) overwritten = 1U << kRdxIndex;
    if ((traits & kClearing) != 0 && !memory && reg == rm) {
      read = 0;
      overwritten = reg_bit;
    }
    // xchg rax with itself is nop, and pause.
    if ((traits & kMayBeNop) != 0 && other == 0 && opcode == 0x90) read = 0;
    if (form->immediate == Immediate::kAddress) {
      instruction.displacement_offset = instruction.immediate_offset;
      instruction.displacement_size = instruction.immediate_size;
      instruction.displacement = static_cast<std::int32_t>(instruction.immediate);
      instruction.immediate_offset = 0;
      instruction.immediate_size = 0;
    } else if (form->immediate == Immediate::kSuffix) {
      if (!known_3dnow(bytes[at - 1])) return false;
      instruction.immediate_offset = 0;
      instruction.immediate_size = 0;
      instruction.immediate = 0;
    }
  }

  instruction.registers = static_cast<uint16_t>(read | overwritten);
  const bool whole = !operand_16 || (traits & kWhole) != 0;
  const uint32_t dead = whole && !accesses ? overwritten & ~read & ~(1U << kRspIndex) : 0;
  instruction.overwritten = static_cast<std::int8_t>(dead == 0 ? -1 : __builtin_ctz(dead));
  return true;
}

}  // namespace bops::native
