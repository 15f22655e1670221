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
constexpr int kRspIndex = 4;
constexpr int kRdxIndex = 2;

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

constexpr uint8_t kFlagsOfCondition[8] = {
    kOverflowFlag,
    kCarryFlag,
    kZeroFlag,
    kCarryFlag | kZeroFlag,
    kSignFlag,
    kParityFlag,
    kSignFlag | kOverflowFlag,
    kSignFlag | kOverflowFlag | kZeroFlag,
};

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
unsigned byte_register(unsigned number, bool rex) {
  return !rex && number < 8 ? number & 3 : number;
}

// The general registers of an instruction as they are found.
struct Operands {
  uint32_t read = 0;
  int overwritten = -1;

  void add(Access access, unsigned number) {
    if (access == Access::kOverwrite) {
      overwritten = static_cast<int>(number);
    } else if (access == Access::kUse) {
      read |= 1U << number;
    }
  }
};

struct Address {
  unsigned size = 0;  // bytes of SIB and displacement
  unsigned displacement_size = 0;
  uint32_t registers = 0;
  bool rip_relative = false;
  bool sib = false;
};

Address read_address(const uint8_t* modrm, unsigned extension, bool vector_index) {
  Address address;
  const unsigned mod = *modrm >> 6;
  unsigned base = *modrm & 7;
  if (base == 4) {
    const unsigned sib = modrm[1];
    address.sib = true;
    address.size = 1;
    const unsigned index = ((sib >> 3) & 7) | ((extension & kX) << 2);
    if (index != 4 && !vector_index) address.registers = 1U << index;
    base = sib & 7;
  } else if (mod == 0 && base == 5) {
    address.rip_relative = true;
  }
  if (mod == 0 && base == 5) {
    address.displacement_size = 4;
  } else {
    address.registers |= 1U << (base | ((extension & kB) << 3));
    address.displacement_size = mod == 0 ? 0 : mod == 1 ? 1 : 4;
  }
  address.size += address.displacement_size;
  return address;
}

// Reads the immediate at code + at; returns its size, which may be more than the longest
// instruction's rest.
unsigned read_immediate(Immediate kind, const uint8_t* at, bool operand_16, bool wide,
                        bool address_32, int64_t& value) {
  switch (kind) {
    case Immediate::kNone: return 0;
    case Immediate::kSigned8: value = static_cast<std::int8_t>(*at); return 1;
    case Immediate::kUnsigned8:
    case Immediate::kSuffix: value = *at; return 1;
    case Immediate::kUnsigned16: value = load<uint16_t>(at); return 2;
    case Immediate::kUnsigned32: value = load<uint32_t>(at); return 4;
    case Immediate::kFull:
      if (wide) {
        value = load<int64_t>(at);
        return 8;
      }
      value = operand_16 ? load<uint16_t>(at) : load<uint32_t>(at);
      return operand_16 ? 2 : 4;
    case Immediate::kOperand:
      value = operand_16 ? load<std::int16_t>(at) : load<std::int32_t>(at);
      return operand_16 ? 2 : 4;
    case Immediate::kEnter: value = load<uint16_t>(at) | at[2] << 16; return 3;
    case Immediate::kTwoBytes: value = load<uint16_t>(at); return 2;
    case Immediate::kAddress:
      value = address_32 ? static_cast<int64_t>(load<uint32_t>(at)) : load<int64_t>(at);
      return address_32 ? 4 : 8;
  }
  return 0;
}

}  // namespace

bool decode_instruction(const uint8_t* code, size_t available, Instruction& instruction) {
  uint8_t padded[kReadable];
  const uint8_t* bytes = code;
  if (available < kReadable) {
    for (size_t i = 0; i < kReadable; ++i) padded[i] = i < available ? code[i] : uint8_t{0};
    bytes = padded;
  }

  unsigned prefixes = 0;
  unsigned at = 0;
  for (;; ++at) {
    const PrefixEffect effect = kPrefixes.of[bytes[at]];
    if (!effect.prefix) break;
    if (at + 1 == kLongest) return false;
    prefixes = (prefixes & ~unsigned{effect.clears}) | effect.sets;
  }
  const bool has_rex = (prefixes & kPrefixRex) != 0;
  const unsigned prefix_size = at;

  Encoding encoding;
  unsigned opcode = bytes[at];
  if (has_rex) encoding.extension = bytes[at - 1] & 15;
  if (opcode == 0x0f) {
    encoding.column = kColumnOf[prefixes & 7];
    opcode = bytes[++at];
    encoding.map = Map::k0f;
    if (opcode == 0x38 || opcode == 0x3a) {
      encoding.map = opcode == 0x38 ? Map::k0f38 : Map::k0f3a;
      opcode = bytes[++at];
    }
  } else if (opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62 ||
             (opcode == 0x8f && (bytes[at + 1] & 31) >= 8)) {
    if ((prefixes & (kPrefixRex | kPrefix66 | kPrefixF3 | kPrefixF2 | kPrefixLock)) != 0) {
      return false;
    }
    const unsigned size = read_vector_prefix(bytes + at, encoding);
    if (size == 0) return false;
    at += size;
    opcode = bytes[at];
  }
  ++at;

  const InstructionTables& tables = kInstructionTables;
  const auto map = static_cast<size_t>(encoding.map);
  const Form* form = &tables.forms[tables.opcodes[map][encoding.column][opcode]];
  const unsigned modrm = bytes[at];
  bool memory = (form->traits & kModrm) != 0 && (modrm < 0xc0) && (form->traits & kModIgnored) == 0;
  if (form->group != Map::kNoGroup) {
    const size_t group = static_cast<size_t>(form->group) - kFirstGroup;
    const unsigned entry = memory ? (modrm >> 3) & 7 : 8 + (modrm & 63);
    form = &tables.forms[tables.groups[group][encoding.column][entry]];
  }
  if (form == tables.forms) return false;
  const uint32_t traits = form->traits;
  if ((traits & (memory ? kRegisterOnly : kMemoryOnly)) != 0) return false;

  const bool wide = (encoding.extension & kW) != 0;
  const bool operand_16 = encoding.legacy && !wide && (prefixes & kPrefix66) != 0;
  if (operand_16 && (traits & kNearBranch) != 0) return false;

  instruction.control = form->control;
  instruction.rex =
      encoding.legacy && has_rex ? static_cast<uint8_t>(0x40 | encoding.extension) : 0;
  instruction.prefix_size = static_cast<uint8_t>(prefix_size);
  instruction.condition = form->control == Control::kConditional ? opcode & 15 : 0;
  instruction.locked = (prefixes & kPrefixLock) != 0;
  instruction.modrm_offset = 0;
  instruction.displacement_offset = 0;
  instruction.displacement_size = 0;
  instruction.displacement = 0;
  instruction.rip_relative = false;

  Operands operands;
  operands.read = form->implicit;
  if ((traits & kModrm) != 0) {
    instruction.modrm_offset = static_cast<uint8_t>(at++);
    const unsigned reg = ((modrm >> 3) & 7) | ((encoding.extension & kR) << 1);
    operands.add(form->reg, (traits & kByteReg) != 0 ? byte_register(reg, has_rex) : reg);
    if (memory) {
      const Address address =
          read_address(bytes + at - 1, encoding.extension, (traits & kVectorIndex) != 0);
      if ((traits & kVectorIndex) != 0 && !address.sib) return false;
      operands.read |= address.registers;
      at += address.size;
      instruction.rip_relative = address.rip_relative;
      if (address.displacement_size != 0) {
        const unsigned offset = at - address.displacement_size;
        instruction.displacement_offset = static_cast<uint8_t>(offset);
        instruction.displacement_size = static_cast<uint8_t>(address.displacement_size);
        instruction.displacement = address.displacement_size == 1
                                       ? static_cast<std::int8_t>(bytes[offset])
                                       : load<std::int32_t>(bytes + offset);
      }
    } else {
      const unsigned rm = (modrm & 7) | ((encoding.extension & kB) << 3);
      operands.add(form->rm, (traits & kByteRm) != 0 ? byte_register(rm, has_rex) : rm);
      if ((traits & kClearing) != 0 && reg == rm) {
        operands.read &= ~(1U << reg);
        operands.overwritten = static_cast<int>(reg);
      }
    }
  }
  if ((traits & kOpcodeRegister) != 0) {
    const unsigned number = (opcode & 7) | ((encoding.extension & kB) << 3);
    operands.add(form->other, (traits & kByteRm) != 0 ? byte_register(number, has_rex) : number);
    // xchg rax with itself is nop, and pause.
    if (opcode == 0x90 && encoding.map == Map::kOneByte && number == 0) operands.read = 0;
  } else {
    operands.add(form->other, encoding.vvvv);
  }
  if ((traits & kOverwritesRdx) != 0) operands.overwritten = kRdxIndex;

  const bool address_32 = (prefixes & kPrefix67) != 0;
  instruction.immediate_offset = 0;
  instruction.immediate_size = 0;
  instruction.immediate = 0;
  if (form->immediate != Immediate::kNone) {
    const unsigned size = read_immediate(form->immediate, bytes + at, operand_16, wide, address_32,
                                         instruction.immediate);
    if (form->immediate == Immediate::kAddress) {
      instruction.displacement_offset = static_cast<uint8_t>(at);
      instruction.displacement_size = static_cast<uint8_t>(size);
      instruction.displacement = static_cast<std::int32_t>(instruction.immediate);
    } else if (form->immediate == Immediate::kSuffix) {
      bool known = false;
      for (const uint8_t suffix : k3dNowSuffixes) known |= suffix == bytes[at];
      if (!known) return false;
      instruction.immediate = 0;
    } else {
      instruction.immediate_offset = static_cast<uint8_t>(at);
      instruction.immediate_size = static_cast<uint8_t>(size);
    }
    at += size;
  }
  if (at > kLongest || at > available) return false;
  instruction.length = static_cast<uint8_t>(at);

  const bool accesses = memory && (traits & kNoAccess) == 0;
  const bool segment = accesses || (traits & kImplicitSegment) != 0;
  instruction.fs_segment = segment && (prefixes & kPrefixFs) != 0;
  instruction.gs_segment = segment && (prefixes & kPrefixGs) != 0;
  instruction.address_size_32 =
      address_32 && (memory || (traits & kImplicitMemory) != 0 || form->control == Control::kLoop);

  instruction.flags_read = form->flags_read;
  instruction.flags_killed = form->flags_killed;
  if ((traits & kReadsCondition) != 0) {
    instruction.flags_read = kFlagsOfCondition[(opcode >> 1) & 7];
  }
  if ((traits & kShiftCount) != 0 && (instruction.immediate & (wide ? 63 : 31)) == 0) {
    instruction.flags_killed = 0;
  }
  instruction.repeated = (traits & kString) != 0 && (prefixes & (kPrefixF2 | kPrefixF3)) != 0;
  if (instruction.repeated) {  // perhaps not even once
    operands.read |= 1U << 1;
    instruction.flags_killed = 0;
  }

  instruction.registers = static_cast<uint16_t>(operands.read);
  instruction.overwritten = -1;
  if (operands.overwritten >= 0) {
    const uint32_t bit = 1U << operands.overwritten;
    const bool whole = !operand_16 || (traits & kWhole) != 0;
    if (whole && !accesses && operands.overwritten != kRspIndex && (operands.read & bit) == 0) {
      instruction.overwritten = static_cast<std::int8_t>(operands.overwritten);
    }
    instruction.registers = static_cast<uint16_t>(operands.read | bit);
  }
  return true;
}

}  // namespace bops::native
