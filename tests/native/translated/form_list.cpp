#include "tests/native/translated/form_list.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "collectors/exact/native/engine/instruction.hpp"
#include "tests/native/translated/case_file.h"

namespace bops::native {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::uint8_t narrow(std::uint64_t value) {
  return static_cast<std::uint8_t>(value);
}

/// Bits above the three that ModRM, SIB and opcodes have room for.
struct Extensions {
  unsigned reg = 0, index = 0, base = 0, other = 0;  ///< 0 or 1; reg: 0 to 3; other: 0 to 31
};

void add_legacy(Bytes& bytes, const Encoding& encoding, const Extensions& high, Random& random) {
  if (encoding.locked) bytes.push_back(0xf0);
  if (encoding.prefix != 0) bytes.push_back(encoding.prefix);
  const unsigned rex =
      (encoding.wide ? 8U : 0U) | (high.reg & 1) << 2 | high.index << 1 | high.base;
  if (rex != 0 || random() % 8 == 0) bytes.push_back(narrow(0x40 | rex));
  constexpr std::array<std::uint8_t, 4> kThird{0, 0, 0x38, 0x3a};
  if (encoding.map > 0) bytes.push_back(0x0f);
  if (encoding.map > 1) bytes.push_back(kThird[encoding.map]);
}

unsigned prefix_number(std::uint8_t prefix) {
  return prefix == 0x66 ? 1 : prefix == 0xf3 ? 2 : prefix == 0xf2 ? 3 : 0;
}

void add_vector_prefix(Bytes& bytes, const Encoding& encoding, const Extensions& high,
                       Random& random) {
  const unsigned low_inverted =
      (~high.reg & 1) << 7 | (~high.index & 1) << 6 | (~high.base & 1) << 5;
  const unsigned wide = encoding.wide ? 0x80 : 0;
  const unsigned vvvv = (~high.other & 15) << 3;
  const unsigned prefix = prefix_number(encoding.prefix);
  if (encoding.coding != Coding::kEvex) {
    bytes.push_back(encoding.coding == Coding::kVex ? 0xc4 : 0x8f);
    bytes.push_back(narrow(low_inverted | encoding.map));
    bytes.push_back(narrow(wide | vvvv | unsigned{encoding.length} << 2 | prefix));
    return;
  }
  bytes.push_back(0x62);
  bytes.push_back(narrow(low_inverted | (~high.reg >> 1 & 1) << 4 | encoding.map));
  bytes.push_back(narrow(wide | vvvv | 4 | prefix));
  const unsigned mask = random.below(3) == 0 ? 0 : random.below(8);
  const unsigned zeroing = mask != 0 && random() % 2 == 0 ? 0x80 : 0;
  const unsigned broadcast = random() % 4 == 0 ? 0x10 : 0;
  bytes.push_back(narrow(zeroing | unsigned{encoding.length} << 5 | broadcast |
                         (~high.other >> 4 & 1) << 3 | mask));
}

unsigned pick_bit(std::uint16_t set, Random& random) {
  for (;;) {
    const unsigned bit = random.below(16);
    if ((set >> bit & 1) != 0) return bit;
  }
}

/// ModRM, SIB and displacement of a memory operand; the extensions of its registers.
struct MemoryOperand {
  Bytes bytes;
  unsigned base = 0, index = 0;
  std::uint8_t segment = 0;
};

void add_displacement(Bytes& bytes, std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) bytes.push_back(narrow(value >> (8 * i)));
}

MemoryOperand memory_operand(const Form& form, unsigned reg, const Addressing& addressing,
                             Random& random) {
  MemoryOperand operand;
  const auto modrm = [&](unsigned mode, unsigned rm) {
    operand.bytes.push_back(narrow(mode << 6 | (reg & 7) << 3 | rm));
  };
  constexpr std::uint64_t kSomewhere = 0x400;
  if (addressing.rip && !form.vector_index) {
    modrm(0, 5);
    add_displacement(operand.bytes, kSomewhere, 4);
    operand.base = random.below(2);  // ignored
    return operand;
  }
  if (addressing.fs && !form.vector_index && random() % 8 == 0) {
    operand.segment = 0x64;
    modrm(0, 4);
    operand.bytes.push_back(0x25);
    add_displacement(operand.bytes, random() % 64 * 16, 4);
    return operand;
  }
  if (!form.vector_index && random() % 12 == 0) {
    modrm(0, 4);
    operand.bytes.push_back(0x25);
    add_displacement(operand.bytes, CASE_LOW + CASE_DATA + random() % 128 * 64, 4);
    return operand;
  }
  const unsigned mode = random.below(3);
  const std::uint64_t distance = random() % 4 != 0 ? random() % 3 * 64 : random() % 200;
  const unsigned base = pick_bit(addressing.bases, random);
  const unsigned size = mode == 2 ? 4 : 1;
  const bool has_index = form.vector_index || (addressing.indexes != 0 && random() % 3 == 0);
  operand.base = base >> 3;
  const bool needs_displacement = mode == 0 && (base & 7) == 5;
  const unsigned real_mode = needs_displacement ? 1 : mode;
  if (has_index || (base & 7) == 4) {
    const unsigned index = form.vector_index ? random.below(16)
                           : has_index       ? pick_bit(addressing.indexes, random)
                                             : 4;
    modrm(real_mode, 4);
    operand.bytes.push_back(narrow(random() % 4 << 6 | (index & 7) << 3 | (base & 7)));
    operand.index = index >> 3;
  } else {
    modrm(real_mode, base & 7);
  }
  if (real_mode != 0)
    add_displacement(operand.bytes,
                     size == 4                               ? distance
                     : form.encoding.coding == Coding::kEvex ? random() % 4
                                                             : distance & 0x7f,
                     size);
  return operand;
}

std::string shape_of(const Decoded& decoded) {
  std::string shape;
  for (const ZydisDecodedOperand& operand : decoded.all()) {
    if (operand.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN) continue;
    const char* const kinds[] = {"?", "r", "m", "p", "i"};
    shape += std::string(" ") + kinds[operand.type] + std::to_string(operand.size);
    if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER)
      shape += "c" + std::to_string(ZydisRegisterGetClass(operand.reg.value));
  }
  return shape;
}

constexpr ZydisMnemonic kLeftOut[] = {
    // Calls of hypervisors; waiting; memory protection keys, which would lock the runner out.
    ZYDIS_MNEMONIC_VMCALL, ZYDIS_MNEMONIC_VMMCALL, ZYDIS_MNEMONIC_VMFUNC, ZYDIS_MNEMONIC_ENCLU,
    ZYDIS_MNEMONIC_MWAIT, ZYDIS_MNEMONIC_MWAITX, ZYDIS_MNEMONIC_MONITOR, ZYDIS_MNEMONIC_MONITORX,
    ZYDIS_MNEMONIC_UMWAIT, ZYDIS_MNEMONIC_TPAUSE, ZYDIS_MNEMONIC_WRPKRU, ZYDIS_MNEMONIC_SEAMCALL,
    ZYDIS_MNEMONIC_TDCALL,
    // They may set the trap flag, and have cases of their own.
    ZYDIS_MNEMONIC_POPF, ZYDIS_MNEMONIC_POPFD, ZYDIS_MNEMONIC_POPFQ, ZYDIS_MNEMONIC_INT1};

bool is_executable(const Decoded& decoded, std::span<const std::uint8_t> bytes) {
  if (std::ranges::find(kLeftOut, decoded.instruction.mnemonic) != std::end(kLeftOut)) return false;
  Instruction ours;
  if (!decode_instruction(bytes.data(), bytes.size(), ours)) return false;
  if (ours.gs_segment || ours.length != decoded.instruction.length) return false;
  if (ours.control != Control::kNone && ours.control != Control::kTrap) return false;
  // The next instruction is executed before anything is trapped.
  return std::ranges::none_of(decoded.all(), [](const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && operand.reg.value == ZYDIS_REGISTER_SS &&
           (operand.actions & ZYDIS_OPERAND_ACTION_WRITE) != 0;
  });
}

class Collected {
 public:
  void try_all_of(Encoding encoding) {
    for (unsigned digit = 0; digit < 8; ++digit) {
      encoding.digit = narrow(digit);
      for (const bool memory : {false, true}) {
        encoding.memory = memory;
        encoding.locked = false;
        add(encoding);
        if (!memory || encoding.coding != Coding::kLegacy) continue;
        encoding.locked = true;
        add(encoding);
      }
    }
  }

  std::vector<Form> forms() {
    std::vector<Form> all;
    all.reserve(forms_.size());
    for (auto& [name, form] : forms_) all.push_back(std::move(form));
    return all;
  }

 private:
  void add(const Encoding& encoding) {
    // Masks and vector indexes are there with some forms only.
    for (const unsigned variant : {0U, 1U, 2U}) {
      if (variant == 1 && encoding.coding == Coding::kLegacy) continue;
      if (variant == 2 && !encoding.memory) continue;
      Bytes bytes;
      Random constant(0);
      Extensions none;
      if (encoding.coding == Coding::kLegacy) {
        add_legacy(bytes, encoding, none, constant);
      } else {
        add_vector_prefix(bytes, encoding, none, constant);
        if (encoding.coding == Coding::kEvex)
          bytes.back() = narrow(unsigned{encoding.length} << 5 | 8 | (variant != 0 ? 1 : 0));
        else if (variant == 1)
          bytes.back() &= 0x87U;
      }
      bytes.push_back(encoding.opcode);
      bytes.push_back(narrow(encoding.digit << 3 | (!encoding.memory ? 0xc1U
                                                    : variant == 2   ? 4U
                                                                     : 3U)));
      for (int i = 0; i < 10; ++i) bytes.push_back(0x11);
      Decoded decoded;
      if (!decode(bytes, decoded)) continue;
      if (!is_executable(decoded, bytes)) return;
      insert(encoding, decoded);
      return;
    }
  }

  void insert(const Encoding& encoding, const Decoded& decoded) {
    const ZydisDecodedInstruction& instruction = decoded.instruction;
    std::string name = ZydisMnemonicGetString(instruction.mnemonic);
    const auto has = [&](std::uint64_t attribute) {
      return (instruction.attributes & attribute) != 0;
    };
    if (has(ZYDIS_ATTRIB_HAS_LOCK)) name = "lock " + name;
    if (has(ZYDIS_ATTRIB_HAS_REP) || has(ZYDIS_ATTRIB_HAS_REPE)) name = "rep " + name;
    if (has(ZYDIS_ATTRIB_HAS_REPNE)) name = "repne " + name;
    name += " " + std::to_string(instruction.opcode_map) + ":" +
            std::to_string(instruction.opcode) + " e" +
            std::to_string(static_cast<int>(instruction.encoding)) + shape_of(decoded);
    Form& form = forms_[name];
    if (form.name.empty()) {
      form.encoding = encoding;
      form.mnemonic = instruction.mnemonic;
      form.has_memory = encoding.memory && has(ZYDIS_ATTRIB_HAS_MODRM);
      form.name = name;
      form.vector_index = std::ranges::any_of(decoded.all(), [](const auto& operand) {
        return operand.type == ZYDIS_OPERAND_TYPE_MEMORY &&
               operand.mem.type == ZYDIS_MEMOP_TYPE_VSIB;
      });
    }
    if (form.encoding.prefix == encoding.prefix && form.encoding.wide == encoding.wide &&
        form.encoding.length == encoding.length && form.encoding.memory == encoding.memory)
      form.digits.push_back(encoding.digit);
  }

  std::map<std::string, Form> forms_;
};

/// Prefixes and escapes: no opcodes, but what follows them might be.
bool is_opcode(Coding coding, unsigned map, unsigned byte) {
  if (coding != Coding::kLegacy) return true;
  if (map == 1) return byte != 0x38 && byte != 0x3a;
  if (map != 0) return true;
  constexpr std::array<unsigned, 14> kOthers{0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x62, 0x64,
                                             0x65, 0x66, 0x67, 0xc4, 0xc5, 0xf0, 0xf2};
  return byte >> 4 != 4 && byte != 0xf3 && std::ranges::find(kOthers, byte) == kOthers.end();
}

void try_maps(Collected& collected, Coding coding, std::initializer_list<unsigned> maps,
              unsigned lengths) {
  for (const unsigned map : maps)
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
      if (!is_opcode(coding, map, opcode)) continue;
      for (const unsigned prefix : {0U, 0x66U, 0xf3U, 0xf2U})
        for (const bool wide : {false, true})
          for (unsigned length = 0; length < lengths; ++length)
            collected.try_all_of({coding, narrow(map), narrow(opcode), narrow(prefix), wide,
                                  narrow(length), 0, false, false});
    }
}

}  // namespace

bool decode(std::span<const std::uint8_t> bytes, Decoded& decoded) {
  static const ZydisDecoder decoder = [] {
    ZydisDecoder made;
    ZydisDecoderInit(&made, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return made;
  }();
  return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes.data(), bytes.size(),
                                             &decoded.instruction, decoded.operands));
}

std::vector<std::uint8_t> encode(const Form& form, const Addressing& addressing, Random& random) {
  Encoding encoding = form.encoding;
  encoding.digit = form.digits[random() % form.digits.size()];
  Extensions high;
  high.other = random.below(3) == 0 ? 0 : random.below(encoding.coding == Coding::kEvex ? 32 : 16);
  high.reg = random.below(encoding.coding == Coding::kEvex ? 4 : 2);
  Bytes operand;
  std::uint8_t segment = 0;
  if (form.has_memory) {
    MemoryOperand memory = memory_operand(form, encoding.digit, addressing, random);
    operand = std::move(memory.bytes);
    high.base = memory.base;
    high.index = memory.index;
    segment = memory.segment;
  } else {
    high.base = random.below(2);
    high.index = encoding.coding == Coding::kEvex ? random.below(2) : 0;
    operand = {narrow((encoding.memory ? 0U : 0xc0U) | encoding.digit << 3 | random() % 8)};
  }
  Bytes bytes;
  constexpr std::array<std::uint8_t, 5> kNoEffect{0x2e, 0x36, 0x3e, 0x26, 0x67};
  if (segment != 0) bytes.push_back(segment);
  if (random() % 16 == 0) bytes.push_back(kNoEffect[random() % kNoEffect.size()]);
  if (encoding.coding == Coding::kLegacy)
    add_legacy(bytes, encoding, high, random);
  else
    add_vector_prefix(bytes, encoding, high, random);
  bytes.push_back(encoding.opcode);
  bytes.insert(bytes.end(), operand.begin(), operand.end());
  for (int i = 0; i < 8; ++i) bytes.push_back(narrow(random()));
  return bytes;
}

std::vector<Form> executable_forms() {
  Collected collected;
  try_maps(collected, Coding::kLegacy, {0, 1, 2, 3}, 1);
  try_maps(collected, Coding::kVex, {1, 2, 3}, 2);
  try_maps(collected, Coding::kXop, {8, 9, 10}, 2);
  try_maps(collected, Coding::kEvex, {1, 2, 3, 5, 6}, 3);
  return collected.forms();
}

}  // namespace bops::native
