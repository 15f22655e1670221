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

// From here on there are few branches: those on the instruction's form are mispredicted, and that
// costs more than all the rest.

// AH, CH, DH, BH are the numbers 4 to 7 where no REX prefix makes them SPL ... DIL.
unsigned register_number(unsigned number, bool high_bytes) {
  return number & ~(high_bytes && number < 8 ? 4U : 0U);
}

// The general registers of an instruction as they are found, as bit sets.
struct Operands {
  uint32_t read = 0;
  uint32_t overwritten = 0;

  void add(Access access, unsigned number) {
    read |= static_cast<uint32_t>(access == Access::kUse) << number;
    overwritten |= static_cast<uint32_t>(access == Access::kOverwrite) << number;
  }
};

// What ModRM's mod and rm say about a memory operand.
struct AddressForm {
  uint8_t memory;
  uint8_t sib;
  uint8_t base;
  uint8_t displacement;
};

struct AddressForms {
  AddressForm of[4][8];
};

consteval AddressForms make_address_forms() {
  AddressForms forms{};
  constexpr uint8_t kDisplacement[3] = {0, 1, 4};
  for (unsigned mod = 0; mod < 3; ++mod) {
    for (unsigned rm = 0; rm < 8; ++rm) forms.of[mod][rm] = {1, rm == 4, 1, kDisplacement[mod]};
  }
  forms.of[0][5] = {1, 0, 0, 4};
  return forms;
}

constinit const AddressForms kAddressForms = make_address_forms();

struct Address {
  unsigned sib;                // bytes
  unsigned displacement_size;  // bytes
  uint32_t registers;
};

// `modrm` may be any byte if `form` is no memory form.
Address read_address(const uint8_t* modrm, AddressForm form, unsigned extension,
                     bool vector_index) {
  const unsigned sib = form.sib != 0 ? modrm[1] : 0x20U;  // 0x20: no index
  const unsigned low_base = form.sib != 0 ? sib & 7 : *modrm & 7U;
  const unsigned index = ((sib >> 3) & 7) | ((extension & kX) << 2);
  const bool no_base = form.sib != 0 && low_base == 5 && *modrm < 0x40;
  const unsigned base = low_base | ((extension & kB) << 3);
  const bool has_index = form.sib != 0 && index != 4 && !vector_index;
  Address address;
  address.sib = form.sib;
  address.displacement_size = no_base ? 4U : form.displacement;
  address.registers = static_cast<uint32_t>(has_index) << index |
                      static_cast<uint32_t>(form.base != 0 && !no_base) << base;
  return address;
}

// Bytes of an immediate, by its kind and, for two of them, by the operand's and the address's size.
unsigned immediate_size(Immediate kind, bool operand_16, bool wide, bool address_32) {
  constexpr uint8_t kSizes[] = {0, 1, 1, 2, 4, 4, 4, 3, 2, 8, 1};
  const unsigned size = kSizes[static_cast<unsigned>(kind)];
  const bool by_operand = kind == Immediate::kOperand || kind == Immediate::kFull;
  if (by_operand && operand_16) return 2;
  if (kind == Immediate::kFull && wide) return 8;
  if (kind == Immediate::kAddress && address_32) return 4;
  return size;
}

int64_t read_sized(const uint8_t* at, unsigned size, bool sign) {
  if (size == 0) return 0;
  const unsigned shift = 64 - 8 * size;
  const uint64_t value = load<uint64_t>(at) << shift;
  return sign ? static_cast<int64_t>(value) >> shift : static_cast<int64_t>(value >> shift);
}

bool known_3dnow(uint8_t suffix) {
  bool known = false;
  for (const uint8_t one : k3dNowSuffixes) known |= one == suffix;
  return known;
}

// Prefixes, then the opcode's map, as far as the row of the instruction.
struct Start {
  unsigned prefixes = 0;
  unsigned prefix_size = 0;
  unsigned opcode = 0;
  unsigned at = 0;  // behind the opcode
  Encoding encoding;
};

bool read_start(const uint8_t* bytes, Start& start) {
  // Most instructions have no prefix, or REX alone.
  const bool rex = (bytes[0] & 0xf0) == 0x40;
  unsigned at = rex ? 1 : 0;
  unsigned prefixes = rex ? kPrefixRex : 0;
  if (kPrefixes.of[bytes[at]].prefix) {
    at = 0;
    prefixes = 0;
    for (;; ++at) {
      const PrefixEffect effect = kPrefixes.of[bytes[at]];
      if (!effect.prefix) break;
      if (at + 1 == kLongest) return false;
      prefixes = (prefixes & ~unsigned{effect.clears}) | effect.sets;
    }
  }
  start.prefixes = prefixes;
  start.prefix_size = at;
  const bool has_rex = (prefixes & kPrefixRex) != 0;
  Encoding& encoding = start.encoding;
  encoding.extension = has_rex ? bytes[at - 1] & 15U : 0;
  const bool escape = bytes[at] == 0x0f;
  at += escape ? 1 : 0;
  unsigned opcode = bytes[at];
  encoding.map = escape ? Map::k0f : Map::kOneByte;
  encoding.column = escape ? kColumnOf[prefixes & 7] : 0U;
  if (escape) {
    if (opcode == 0x38 || opcode == 0x3a) {
      encoding.map = opcode == 0x38 ? Map::k0f38 : Map::k0f3a;
      opcode = bytes[++at];
    }
  } else if (opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62 ||
             (opcode == 0x8f && (bytes[at + 1] & 31) >= 8)) {
    constexpr unsigned kNotBefore = kPrefixRex | kPrefix66 | kPrefixF3 | kPrefixF2 | kPrefixLock;
    if ((prefixes & kNotBefore) != 0) return false;
    const unsigned size = read_vector_prefix(bytes + at, encoding);
    if (size == 0) return false;
    at += size;
    opcode = bytes[at];
  }
  start.opcode = opcode;
  start.at = at + 1;
  return true;
}

// The row; null if there is no such instruction.
const Form* find_form(const Start& start, unsigned modrm) {
  const InstructionTables& tables = kInstructionTables;
  const auto map = static_cast<size_t>(start.encoding.map);
  const unsigned column = start.encoding.column;
  const Form* form = &tables.forms[tables.opcodes[map][column][start.opcode]];
  if (form->group != Map::kNoGroup) {
    const bool memory = modrm < 0xc0 && (form->traits & kModIgnored) == 0;
    const unsigned entry = memory ? (modrm >> 3) & 7 : 8 + (modrm & 63);
    form =
        &tables.forms[tables.groups[static_cast<size_t>(form->group) - kFirstGroup][column][entry]];
  }
  return form == tables.forms ? nullptr : form;
}

}  // namespace

bool decode_instruction(const uint8_t* code, size_t available, Instruction& instruction) {
  uint8_t padded[kReadable];
  const uint8_t* bytes = code;
  if (available < kReadable) {
    for (size_t i = 0; i < kReadable; ++i) padded[i] = i < available ? code[i] : uint8_t{0};
    bytes = padded;
  }
  Start start;
  if (!read_start(bytes, start)) return false;
  const Encoding& encoding = start.encoding;
  const unsigned prefixes = start.prefixes;
  unsigned at = start.at;
  const uint8_t* modrm_at = bytes + at;
  const unsigned modrm = *modrm_at;
  const Form* form = find_form(start, modrm);
  if (form == nullptr) return false;
  const uint32_t traits = form->traits;
  const bool has_modrm = (traits & kModrm) != 0;
  const bool has_rex = (prefixes & kPrefixRex) != 0;
  const bool wide = (encoding.extension & kW) != 0;
  const bool operand_16 = encoding.legacy && !wide && (prefixes & kPrefix66) != 0;
  const bool address_32 = (prefixes & kPrefix67) != 0;

  // ModRM, SIB, displacement.
  const bool may_address = has_modrm && (traits & kModIgnored) == 0;
  const AddressForm address_form =
      may_address ? kAddressForms.of[modrm >> 6][modrm & 7] : AddressForm{};
  const bool memory = address_form.memory != 0;
  const Address address =
      read_address(modrm_at, address_form, encoding.extension, (traits & kVectorIndex) != 0);
  const bool misplaced = (traits & (memory ? kRegisterOnly : kMemoryOnly)) != 0;
  const bool no_sib = (traits & (kVectorIndex | kNeedsSib)) != 0 && address.sib == 0;
  const bool ambiguous = (traits & kNearBranch) != 0 && operand_16;
  if (misplaced || no_sib || ambiguous) return false;
  instruction.modrm_offset = static_cast<uint8_t>(has_modrm ? at : 0);
  at += (has_modrm ? 1 : 0) + address.sib;
  const bool has_displacement = address.displacement_size != 0;
  instruction.displacement_offset = static_cast<uint8_t>(has_displacement ? at : 0);
  instruction.displacement_size = static_cast<uint8_t>(address.displacement_size);
  instruction.displacement =
      static_cast<std::int32_t>(read_sized(bytes + at, address.displacement_size, true));
  instruction.rip_relative = memory && address_form.base == 0;
  at += address.displacement_size;

  // Immediate.
  const unsigned size = immediate_size(form->immediate, operand_16, wide, address_32);
  const bool sign =
      form->immediate == Immediate::kSigned8 || form->immediate == Immediate::kOperand;
  instruction.immediate = read_sized(bytes + at, size, sign);
  instruction.immediate_offset = static_cast<uint8_t>(size != 0 ? at : 0);
  instruction.immediate_size = static_cast<uint8_t>(size);
  if (form->immediate >= Immediate::kAddress) {
    instruction.immediate_offset = 0;
    instruction.immediate_size = 0;
    if (form->immediate == Immediate::kSuffix) {
      if (!known_3dnow(bytes[at])) return false;
      instruction.immediate = 0;
    } else {
      instruction.displacement_offset = static_cast<uint8_t>(at);
      instruction.displacement_size = static_cast<uint8_t>(size);
      instruction.displacement = static_cast<std::int32_t>(instruction.immediate);
    }
  }
  at += size;
  if (at > kLongest || at > available) return false;
  instruction.length = static_cast<uint8_t>(at);

  instruction.control = form->control;
  instruction.rex =
      static_cast<uint8_t>(encoding.legacy && has_rex ? 0x40 | encoding.extension : 0);
  instruction.prefix_size = static_cast<uint8_t>(start.prefix_size);
  instruction.condition =
      static_cast<uint8_t>(form->control == Control::kConditional ? start.opcode & 15 : 0);
  instruction.locked = (prefixes & kPrefixLock) != 0;
  const bool accesses = memory && (traits & kNoAccess) == 0;
  const bool segment = accesses || (traits & kImplicitSegment) != 0;
  instruction.fs_segment = segment && (prefixes & kPrefixFs) != 0;
  instruction.gs_segment = segment && (prefixes & kPrefixGs) != 0;
  instruction.address_size_32 =
      address_32 && (memory || (traits & kImplicitMemory) != 0 || form->control == Control::kLoop);
  instruction.repeated = (traits & kString) != 0 && (prefixes & (kPrefixF2 | kPrefixF3)) != 0;

  // Flags. A byte's shift count has five bits even if REX.W is there.
  const int64_t count_bits = wide && (traits & kByteRm) == 0 ? 63 : 31;
  const bool no_shift = (traits & kShiftCount) != 0 && (instruction.immediate & count_bits) == 0;
  instruction.flags_read = (traits & kReadsCondition) != 0
                               ? kFlagsOfCondition[(start.opcode >> 1) & 7]
                               : form->flags_read;
  // A repeated instruction may not be executed even once.
  instruction.flags_killed = no_shift || instruction.repeated ? uint8_t{0} : form->flags_killed;

  // Registers.
  const bool high_reg = (traits & kByteReg) != 0 && !has_rex;
  const bool high_rm = (traits & kByteRm) != 0 && !has_rex;
  const unsigned reg = ((modrm >> 3) & 7) | ((encoding.extension & kR) << 1);
  const unsigned rm = (modrm & 7) | ((encoding.extension & kB) << 3);
  const unsigned opcode_register = (start.opcode & 7) | ((encoding.extension & kB) << 3);
  const bool in_opcode = (traits & kOpcodeRegister) != 0;
  Operands operands;
  operands.read =
      form->implicit | address.registers | static_cast<uint32_t>(instruction.repeated) << kRcxIndex;
  operands.overwritten = static_cast<uint32_t>((traits & kOverwritesRdx) != 0) << kRdxIndex;
  operands.add(form->reg, register_number(reg, high_reg));
  operands.add(memory ? Access::kNone : form->rm, register_number(rm, high_rm));
  operands.add(form->other, in_opcode ? register_number(opcode_register, high_rm) : encoding.vvvv);
  if ((traits & kClearing) != 0 && !memory && reg == rm) {
    operands.read = 0;
    operands.overwritten = 1U << reg;
  }
  // xchg rax with itself is nop, and pause.
  if (start.opcode == 0x90 && in_opcode && opcode_register == 0) operands.read = 0;
  instruction.registers = static_cast<uint16_t>(operands.read | operands.overwritten);
  const bool whole = !operand_16 || (traits & kWhole) != 0;
  const uint32_t dead =
      whole && !accesses ? operands.overwritten & ~operands.read & ~(1U << kRspIndex) : 0;
  instruction.overwritten = static_cast<std::int8_t>(dead == 0 ? -1 : __builtin_ctz(dead));
  return true;
}

}  // namespace bops::native
