#include "collectors/exact/native/engine/instruction.hpp"

#include "collectors/exact/native/engine/instruction_layout.hpp"
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
constexpr Effects kRcx = kUses << 1;
constexpr uint32_t kRsp = 1U << 4;

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
                           kClearing | kMayBeNop | kOddImmediate;

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

int64_t load_sized(const uint8_t* at, unsigned size_and_sign) {
  const Sized sized = kSized.of[size_and_sign];
  return static_cast<int64_t>(((load<uint64_t>(at) & sized.mask) ^ sized.sign) - sized.sign);
}

bool known_3dnow(uint8_t suffix) {
  bool known = false;
  for (const uint8_t one : k3dNowSuffixes) known |= one == suffix;
  return known;
}

bool is_prefix(uint8_t byte) {
  return (kPrefixes.of[byte].sets | kPrefixes.of[byte].clears) != 0;
}

const Form* form_of(Map map, unsigned column, unsigned opcode) {
  const InstructionTables& tables = instruction_tables;
  return &tables.forms[tables.opcodes[static_cast<size_t>(map)][column][opcode]];
}

const Form* form_in_group(const Form& form, unsigned modrm, unsigned column) {
  const InstructionTables& tables = instruction_tables;
  modrm |= form.modrm_or;
  const unsigned entry = modrm < 0xc0 ? (modrm >> 3) & 7 : 8 + (modrm & 63);
  const size_t group = static_cast<size_t>(form.group) - kFirstGroup;
  return &tables.forms[tables.groups[group][column][entry]];
}

// `whole`: what has kOverwrites is overwritten as a whole, and nothing can fault.
void set_registers(Effects effects, bool whole, Instruction& instruction) {
  const uint32_t used = effects & 0xffff;
  const uint32_t overwritten = effects >> 16;
  instruction.registers = static_cast<uint16_t>(used | overwritten);
  const uint32_t dead = whole ? overwritten & ~used & ~kRsp : 0;
  const int number = __builtin_ctz(dead | 1U << 31);  // 31: none
  instruction.overwritten = static_cast<std::int8_t>(number - 2 * (number & 16));
}

// What only few instructions need, at the end. False: no such instruction.
[[gnu::noinline]] bool finish_rare(const Form& form, const uint8_t* opcode, bool memory, bool sib,
                                   bool wide, bool whole, Effects effects,
                                   Instruction& instruction) {
  const uint32_t traits = form.traits;
  if ((traits & (memory ? kRegisterOnly : kMemoryOnly)) != 0) return false;
  if ((traits & (kVectorIndex | kNeedsSib)) != 0 && !sib) return false;
  // A byte's shift count has five bits even if REX.W is there.
  const bool six_bits = wide && (traits & kByteRm) == 0;
  const int64_t count = instruction.immediate & (six_bits ? 63 : 31);
  if ((traits & kShiftCount) != 0 && count == 0) instruction.flags_killed = 0;
  // Both operands the same register.
  if ((traits & kClearing) != 0 && !memory && (effects & (effects - 1)) == 0) effects <<= 16;
  // xchg rax with itself is nop, and pause.
  if ((traits & kMayBeNop) != 0 && *opcode == 0x90 && effects == kUses) effects = 0;
  if (form.immediate == Immediate::kAddress) {
    instruction.displacement_offset = instruction.immediate_offset;
    instruction.displacement_size = instruction.immediate_size;
    instruction.displacement = static_cast<std::int32_t>(instruction.immediate);
    instruction.immediate_size = 0;
  } else if (form.immediate == Immediate::kSuffix) {
    if (!known_3dnow(static_cast<uint8_t>(instruction.immediate))) return false;
    instruction.immediate_size = 0;
    instruction.immediate = 0;
  }
  set_registers(effects, whole, instruction);
  return true;
}

// Prefixes and what stands for them in VEX, EVEX and XOP.
struct Context {
  unsigned prefixes;
  Encoding encoding;
};

// What legacy prefixes change. False: no such instruction.
bool apply_prefixes(const Form& form, const Context& context, bool memory, bool accesses,
                    bool operand_16, Instruction& instruction) {
  const unsigned prefixes = context.prefixes;
  const uint32_t traits = form.traits;
  if (operand_16 && (traits & kNearBranch) != 0) return false;
  const bool segment = accesses || (traits & kImplicitSegment) != 0;
  instruction.fs_segment = segment && (prefixes & kPrefixFs) != 0;
  instruction.gs_segment = segment && (prefixes & kPrefixGs) != 0;
  const bool address = memory || (traits & kImplicitMemory) != 0 || form.control == Control::kLoop;
  instruction.address_size_32 = address && (prefixes & kPrefix67) != 0;
  instruction.locked = (prefixes & kPrefixLock) != 0;
  instruction.repeated = (traits & kString) != 0 && (prefixes & (kPrefixF2 | kPrefixF3)) != 0;
  if (instruction.repeated) instruction.flags_killed = 0;  // perhaps not even once
  return true;
}

// Everything behind the prefixes. `plain`: a legacy encoding with no prefix but REX, as nearly all
// are. There are few branches, as those on an instruction's form are mispredicted, and that costs
// more than all the rest.
template <bool plain>
[[gnu::always_inline]] inline bool finish(const Form& form, const uint8_t* bytes,
                                          unsigned opcode_at, unsigned extension,
                                          const Context& context, Instruction& instruction) {
  const bool has_rex = instruction.rex != 0;
  const bool wide = (extension & kW) != 0;
  const bool operand_16 =
      !plain && context.encoding.legacy && !wide && (context.prefixes & kPrefix66) != 0;
  const uint32_t traits = form.traits;

  // ModRM, SIB, displacement.
  unsigned at = opcode_at + 1;
  const unsigned modrm = bytes[at] | form.modrm_or;
  const unsigned has_modrm = traits & kModrm;
  const AddressForm address = kAddressForms.of[modrm];
  instruction.modrm_offset = static_cast<uint8_t>(at & (0U - has_modrm));
  at += has_modrm;
  const unsigned b = (extension & kB) << 3;
  unsigned rm = (modrm & 7) | b;
  Effects effects = form.implicit | Effects{address.base} << rm;
  unsigned displacement_size = address.displacement;
  if (address.sib != 0) {
    const unsigned sib = bytes[at++];
    const unsigned index = ((sib >> 3) & 7) | ((extension & kX) << 2);
    const bool no_base = (sib & 7) == 5 && modrm < 0x40;
    if (no_base) displacement_size = 4;
    effects |= Effects{!no_base} << ((sib & 7) | b);
    effects |= Effects{index != 4 && (traits & kVectorIndex) == 0} << index;
  }
  instruction.rip_relative = address.rip_relative != 0;
  instruction.displacement_offset = static_cast<uint8_t>(at);
  instruction.displacement_size = static_cast<uint8_t>(displacement_size);
  const std::int32_t near = displacement_size == 0 ? 0 : static_cast<std::int8_t>(bytes[at]);
  const std::int32_t far = load<std::int32_t>(bytes + at);
  instruction.displacement = displacement_size == 4 ? far : near;
  at += displacement_size;

  // Immediate.
  unsigned state = (extension & kW) / kW * kOperand64;
  if (!plain) {
    state |= (operand_16 ? kOperand16 : 0) | ((context.prefixes & kPrefix67) != 0 ? kAddress32 : 0);
  }
  const unsigned sized = kImmediateSizes.of[static_cast<unsigned>(form.immediate)][state];
  instruction.immediate = load_sized(bytes + at, sized);
  instruction.immediate_offset = static_cast<uint8_t>(at);
  instruction.immediate_size = sized & 15;
  instruction.length = static_cast<uint8_t>(at + (sized & 15));

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
  unsigned other = plain || (traits & kOpcodeRegister) != 0 ? (bytes[opcode_at] & 7U) | b
                                                            : context.encoding.vvvv;
  if ((traits & (kByteReg | kByteRm)) != 0 && !has_rex) {  // AH, CH, DH, BH are 4 to 7
    if ((traits & kByteReg) != 0) reg &= 3;
    if ((traits & kByteRm) != 0) rm &= 3;
    if ((traits & kByteRm) != 0) other &= 3;
  }
  const bool memory = address.memory != 0;
  effects |= form.reg << reg | (memory ? 0 : form.rm) << rm | form.other << other;
  const bool accesses = memory && (traits & kNoAccess) == 0;
  if (!plain) {
    if (!apply_prefixes(form, context, memory, accesses, operand_16, instruction)) return false;
    if (instruction.repeated) effects |= kRcx;
  }
  const bool whole = !accesses && (!operand_16 || (traits & kWhole) != 0);
  if ((traits & kRare) != 0) {
    return finish_rare(form, bytes + opcode_at, memory, address.sib != 0, wide, whole, effects,
                       instruction);
  }
  set_registers(effects, whole, instruction);
  return true;
}

// Moves `at`, the place of an opcode that escapes, on to the opcode that it leads to. False: there
// is none.
bool follow_escape(const uint8_t* bytes, Context& context, unsigned& at) {
  if (context.encoding.map == Map::k0f) {
    context.encoding.map = bytes[at] == 0x38 ? Map::k0f38 : Map::k0f3a;
    ++at;
    return true;
  }
  constexpr unsigned kNotBefore = kPrefixRex | kPrefix66 | kPrefixF3 | kPrefixF2 | kPrefixLock;
  if ((context.prefixes & kNotBefore) != 0) return false;
  const unsigned size = read_vector_prefix(bytes + at, context.encoding);
  at += size;
  return size != 0;
}

// With any prefix and any escape.
bool decode_any(const uint8_t* bytes, Instruction& instruction) {
  Context context{};
  Encoding& encoding = context.encoding;
  unsigned prefixes = 0;
  unsigned at = 0;
  for (; is_prefix(bytes[at]); ++at) {
    if (at + 1 == kLongest) return false;
    const PrefixEffect effect = kPrefixes.of[bytes[at]];
    prefixes = (prefixes & ~unsigned{effect.clears}) | effect.sets;
  }
  context.prefixes = prefixes;
  instruction.prefix_size = static_cast<uint8_t>(at);
  instruction.rex = (prefixes & kPrefixRex) != 0 ? bytes[at - 1] : uint8_t{0};
  encoding.extension = instruction.rex & 15U;
  if (bytes[at] == 0x0f) {
    encoding.map = Map::k0f;
    encoding.column = kColumnOf[prefixes & 7];
    ++at;
  }
  const Form* form = form_of(encoding.map, encoding.column, bytes[at]);
  if (form->group == Map::kEscape) {
    if (form == instruction_tables.forms) return false;
    if (bytes[at] == 0x8f && (bytes[at + 1] & 31) < 8) {  // pop
      form = form_of(Map::kOneByte, 1, bytes[at]);
    } else {
      if (!follow_escape(bytes, context, at)) return false;
      form = form_of(encoding.map, encoding.column, bytes[at]);
    }
  }
  if (form->group < Map::kEscape) form = form_in_group(*form, bytes[at + 1], encoding.column);
  if (form == instruction_tables.forms) return false;
  return finish<false>(*form, bytes, at, encoding.extension, context, instruction);
}

[[gnu::noinline]] bool decode_slowly(const uint8_t* code, size_t available,
                                     Instruction& instruction) {
  uint8_t padded[kReadable];
  const uint8_t* bytes = code;
  if (available < kReadable) {
    for (size_t i = 0; i < kReadable; ++i) padded[i] = i < available ? code[i] : uint8_t{0};
    bytes = padded;
  }
  return decode_any(bytes, instruction) && instruction.length <= kLongest &&
         instruction.length <= available;
}

}  // namespace

bool decode_instruction(const uint8_t* code, size_t available, Instruction& instruction) {
  if (available < kReadable) return decode_slowly(code, available, instruction);
  // The common way: no prefix but REX, and an opcode of the first two maps; not longer than
  // fifteen bytes, whatever it is.
  const unsigned rex = code[0] >> 4 == 4 ? 1 : 0;
  const unsigned escape = code[rex] == 0x0f ? 1 : 0;
  const unsigned at = rex + escape;
  const Form* form = form_of(static_cast<Map>(escape), 0, code[at]);  // kOneByte, k0f
  if (form->group != Map::kNoGroup) {
    if (form->group == Map::kEscape) return decode_slowly(code, available, instruction);
    form = form_in_group(*form, code[at + 1], 0);
    if (form == instruction_tables.forms) return false;
  }
  instruction.prefix_size = static_cast<uint8_t>(rex);
  instruction.rex = static_cast<uint8_t>(code[0] & (0U - rex));
  return finish<true>(*form, code, at, instruction.rex & 15U, Context{}, instruction);
}

}  // namespace bops::native
