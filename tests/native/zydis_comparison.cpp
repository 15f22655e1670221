#include "tests/native/zydis_comparison.hpp"

#include <Zydis/Zydis.h>

#include <algorithm>
#include <array>

namespace bops::native {
namespace {

struct Decoded {
  ZydisDecodedInstruction instruction;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;

  std::span<const ZydisDecodedOperand> all() const {
    return {operands.data(), instruction.operand_count};
  }
  bool is(std::initializer_list<ZydisMnemonic> mnemonics) const {
    return std::ranges::find(mnemonics, instruction.mnemonic) != mnemonics.end();
  }
};

bool zydis_decode(std::span<const std::uint8_t> bytes, Decoded& decoded) {
  static const ZydisDecoder decoder = [] {
    ZydisDecoder made;
    ZydisDecoderInit(&made, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return made;
  }();
  return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes.data(), bytes.size(),
                                             &decoded.instruction, decoded.operands.data()));
}

// The number of the general register that holds `reg`, or -1.
int general_register(ZydisRegister reg) {
  switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
      return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg) - ZYDIS_REGISTER_RAX;
    default: return -1;
  }
}

std::uint32_t bit_of(ZydisRegister reg) {
  const int number = general_register(reg);
  return number < 0 ? 0 : 1U << number;
}

// General registers by what happens to them.
struct Registers {
  std::uint32_t all = 0;
  std::uint32_t read = 0;         // or written in part, or perhaps
  std::uint32_t overwritten = 0;  // as a whole, for certain
  bool memory = false;            // an access
  bool address = false;           // a memory operand, accessed or not
  bool fs = false;
  bool gs = false;
};

// ModRM and SIB say "displacement only". Zydis takes R13 for a base if REX.B and a 67 prefix meet.
bool no_base(const Decoded& decoded) {
  const auto& raw = decoded.instruction.raw;
  return (decoded.instruction.attributes & ZYDIS_ATTRIB_HAS_SIB) != 0 && raw.modrm.mod == 0 &&
         raw.sib.base == 5;
}

Registers registers_of(const Decoded& decoded) {
  Registers found;
  for (const ZydisDecodedOperand& operand : decoded.all()) {
    if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY) {
      std::uint32_t used = bit_of(operand.mem.index);
      if (!no_base(decoded) || operand.encoding == ZYDIS_OPERAND_ENCODING_NONE) {
        used |= bit_of(operand.mem.base);
      }
      found.all |= used;
      found.read |= used;
      const bool stack =
          operand.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
          (general_register(operand.mem.base) == 4 || decoded.is({ZYDIS_MNEMONIC_LEAVE}));
      found.address |= !stack;  // a 67 prefix does not change the stack's address
      if (operand.mem.type == ZYDIS_MEMOP_TYPE_AGEN) continue;
      found.memory = true;
      found.fs |= operand.mem.segment == ZYDIS_REGISTER_FS;
      found.gs |= operand.mem.segment == ZYDIS_REGISTER_GS;
    } else if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER) {
      const std::uint32_t bit = bit_of(operand.reg.value);
      found.all |= bit;
      const bool whole = ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, operand.reg.value) >= 32;
      if (operand.actions == ZYDIS_OPERAND_ACTION_WRITE && whole) {
        found.overwritten |= bit;
      } else {
        found.read |= bit;
      }
    }
  }
  return found;
}

bool same_register_twice(const Decoded& decoded) {
  const auto& operands = decoded.operands;
  return operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
         operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
         operands[0].reg.value == operands[1].reg.value;
}

bool writes_segment(const Decoded& decoded, ZydisRegister segment) {
  return std::ranges::any_of(decoded.all(), [segment](const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && operand.reg.value == segment &&
           (operand.actions & ZYDIS_OPERAND_ACTION_WRITE) != 0;
  });
}

Control control_of(const Decoded& decoded) {
  const ZydisDecodedInstruction& instruction = decoded.instruction;
  const bool far = instruction.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
  const bool direct = decoded.operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
  switch (instruction.mnemonic) {
    case ZYDIS_MNEMONIC_LOOP:
    case ZYDIS_MNEMONIC_LOOPE:
    case ZYDIS_MNEMONIC_LOOPNE:
    case ZYDIS_MNEMONIC_JECXZ:
    case ZYDIS_MNEMONIC_JRCXZ: return Control::kLoop;
    case ZYDIS_MNEMONIC_JMP:
      return far ? Control::kFar : direct ? Control::kJump : Control::kIndirectJump;
    case ZYDIS_MNEMONIC_CALL:
      return far ? Control::kFar : direct ? Control::kCall : Control::kIndirectCall;
    case ZYDIS_MNEMONIC_RET: return far ? Control::kFar : Control::kReturn;
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
    case ZYDIS_MNEMONIC_UIRET: return Control::kFar;
    case ZYDIS_MNEMONIC_SYSCALL: return Control::kSystemCall;
    case ZYDIS_MNEMONIC_INT:
    case ZYDIS_MNEMONIC_SYSENTER: return Control::kInterrupt;
    case ZYDIS_MNEMONIC_XBEGIN: return Control::kTransaction;
    case ZYDIS_MNEMONIC_RDGSBASE:
    case ZYDIS_MNEMONIC_WRGSBASE:
    case ZYDIS_MNEMONIC_SWAPGS: return Control::kGsBase;
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2: return Control::kTrap;
    // Privileged, though Zydis does not say so.
    case ZYDIS_MNEMONIC_CLGI:
    case ZYDIS_MNEMONIC_STGI:
    case ZYDIS_MNEMONIC_SKINIT:
    case ZYDIS_MNEMONIC_VMLOAD:
    case ZYDIS_MNEMONIC_VMRUN:
    case ZYDIS_MNEMONIC_VMSAVE:
    case ZYDIS_MNEMONIC_ENCLV:
    case ZYDIS_MNEMONIC_LGDT:
    case ZYDIS_MNEMONIC_RSM: return Control::kTrap;
    // Users may be allowed to execute them (AMD's MonMwaitUserEn).
    case ZYDIS_MNEMONIC_MONITOR:
    case ZYDIS_MNEMONIC_MWAIT: return Control::kNone;
    default: break;
  }
  // Zydis files xend under the conditional branches.
  if (instruction.meta.category == ZYDIS_CATEGORY_COND_BR &&
      instruction.mnemonic != ZYDIS_MNEMONIC_XEND) {
    return Control::kConditional;
  }
  if (writes_segment(decoded, ZYDIS_REGISTER_GS)) return Control::kGsBase;
  if ((instruction.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED) != 0) return Control::kTrap;
  return Control::kNone;
}

std::uint8_t our_flags(ZydisAccessedFlagsMask mask) {
  int flags = 0;
  if (mask & ZYDIS_CPUFLAG_CF) flags |= kCarryFlag;
  if (mask & ZYDIS_CPUFLAG_PF) flags |= kParityFlag;
  if (mask & ZYDIS_CPUFLAG_AF) flags |= kAdjustFlag;
  if (mask & ZYDIS_CPUFLAG_ZF) flags |= kZeroFlag;
  if (mask & ZYDIS_CPUFLAG_SF) flags |= kSignFlag;
  if (mask & ZYDIS_CPUFLAG_OF) flags |= kOverflowFlag;
  return static_cast<std::uint8_t>(flags);
}

struct Flags {
  std::uint8_t read = 0;
  std::uint8_t killed = 0;
};

// A shift's count if the instruction says it, 1 if it is in the opcode, 0 if it is in CL.
std::uint64_t shift_count(const Decoded& decoded) {
  const ZydisDecodedInstruction& instruction = decoded.instruction;
  const bool cl = std::ranges::any_of(decoded.all(), [](const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && operand.reg.value == ZYDIS_REGISTER_CL &&
           operand.encoding == ZYDIS_OPERAND_ENCODING_NONE;
  });
  if (cl) return 0;
  const std::uint64_t count = instruction.raw.imm[0].size == 0 ? 1 : instruction.raw.imm[0].value.u;
  return count & (instruction.operand_width == 64 ? 63 : 31);
}

Flags flags_of(const Decoded& decoded, Control control) {
  Flags flags;
  if (const ZydisAccessedFlags* accessed = decoded.instruction.cpu_flags) {
    flags.read = our_flags(accessed->tested);
    flags.killed =
        our_flags(accessed->modified | accessed->set_0 | accessed->set_1 | accessed->undefined);
  }
  // The manual says that they clear the others; Zydis forgets it.
  if (decoded.is({ZYDIS_MNEMONIC_VPTEST, ZYDIS_MNEMONIC_VTESTPS, ZYDIS_MNEMONIC_VTESTPD,
                  ZYDIS_MNEMONIC_RSTORSSP, ZYDIS_MNEMONIC_TESTUI})) {
    flags.killed = kAllFlags;
  }
  switch (control) {
    case Control::kNone:
    case Control::kConditional:
    case Control::kLoop: break;
    default: return {};  // the translator takes all flags as live there
  }
  if ((decoded.instruction.attributes &
       (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) != 0 &&
      decoded.instruction.meta.category == ZYDIS_CATEGORY_STRINGOP) {
    return {};  // the flags that repe tests are those that it set itself, and none if RCX is 0
  }
  const bool shift = decoded.instruction.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
                     decoded.is({ZYDIS_MNEMONIC_ROL, ZYDIS_MNEMONIC_ROR, ZYDIS_MNEMONIC_RCL,
                                 ZYDIS_MNEMONIC_RCR, ZYDIS_MNEMONIC_SHL, ZYDIS_MNEMONIC_SHR,
                                 ZYDIS_MNEMONIC_SAR, ZYDIS_MNEMONIC_SHLD, ZYDIS_MNEMONIC_SHRD});
  if (shift && shift_count(decoded) == 0) flags.killed = 0;
  return flags;
}

bool knights_corner(const ZydisDecodedInstruction& instruction) {
  switch (instruction.meta.isa_set) {
    case ZYDIS_ISA_SET_KNCE:
    case ZYDIS_ISA_SET_KNCJKBR:
    case ZYDIS_ISA_SET_KNCSTREAM:
    case ZYDIS_ISA_SET_KNCV:
    case ZYDIS_ISA_SET_KNC_MISC:
    case ZYDIS_ISA_SET_KNC_PF_HINT: return true;
    default: break;
  }
  return instruction.meta.category == ZYDIS_CATEGORY_KNC ||
         instruction.meta.category == ZYDIS_CATEGORY_KNCMASK ||
         instruction.meta.category == ZYDIS_CATEGORY_KNCSCALAR;
}

// A near branch on which Intel and AMD differ.
bool ambiguous_branch(const ZydisDecodedInstruction& instruction) {
  const bool near_branch = instruction.meta.branch_type == ZYDIS_BRANCH_TYPE_SHORT ||
                           instruction.meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR ||
                           instruction.mnemonic == ZYDIS_MNEMONIC_XBEGIN;
  const auto* prefixes = instruction.raw.prefixes;
  const bool operand_size = std::any_of(prefixes, prefixes + instruction.raw.prefix_count,
                                        [](const auto& prefix) { return prefix.value == 0x66; });
  const bool wide =
      (instruction.attributes & ZYDIS_ATTRIB_HAS_REX) != 0 && instruction.raw.rex.W != 0;
  return near_branch && operand_size && !wide;
}

// Zydis does not model these operands: an address in a register, MPX (a nop elsewhere).
bool address_is_not_modelled(const Decoded& decoded) {
  return decoded.instruction.meta.isa_ext == ZYDIS_ISA_EXT_MPX ||
         decoded.instruction.meta.isa_ext == ZYDIS_ISA_EXT_PADLOCK ||
         decoded.is({ZYDIS_MNEMONIC_MONITOR, ZYDIS_MNEMONIC_MONITORX, ZYDIS_MNEMONIC_UMONITOR,
                     ZYDIS_MNEMONIC_CLZERO});
}

class Differences {
 public:
  void expect(bool holds, const char* what) {
    if (!holds) text_ += std::string(text_.empty() ? "" : ", ") + what;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

bool overwritten_holds(const Instruction& ours, const Decoded& decoded, const Registers& theirs) {
  if (ours.overwritten < 0) return true;
  const std::uint32_t bit = 1U << ours.overwritten;
  if (ours.overwritten == 4 || theirs.memory || (ours.registers & bit) == 0) return false;
  const bool clears = same_register_twice(decoded) &&
                      decoded.is({ZYDIS_MNEMONIC_XOR, ZYDIS_MNEMONIC_SUB, ZYDIS_MNEMONIC_SBB});
  const bool wide = decoded.instruction.operand_width >= 32;
  return clears ? wide && theirs.all == bit
                : (theirs.overwritten & bit) != 0 && (theirs.read & bit) == 0;
}

// Where Zydis sees a register overwritten that we might have named.
bool overwritten_missed(const Instruction& ours, const Decoded& decoded, const Registers& theirs) {
  // They leave the destination alone at zero, or do so on older CPUs.
  if (decoded.is(
          {ZYDIS_MNEMONIC_BSF, ZYDIS_MNEMONIC_BSR, ZYDIS_MNEMONIC_TZCNT, ZYDIS_MNEMONIC_LZCNT})) {
    return false;
  }
  return ours.control == Control::kNone && ours.overwritten < 0 && !theirs.memory &&
         (theirs.overwritten & ~theirs.read & ~16U) != 0;
}

void compare_places(const Instruction& ours, const Decoded& decoded, Differences& found) {
  const ZydisDecodedInstruction& theirs = decoded.instruction;
  const auto& raw = theirs.raw;
  found.expect(ours.length == theirs.length, "length");
  const bool modrm = (theirs.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0;
  found.expect(ours.modrm_offset == (modrm ? raw.modrm.offset : 0), "modrm_offset");
  found.expect(ours.displacement_size * 8 == raw.disp.size, "displacement_size");
  if (raw.disp.size != 0) {
    found.expect(ours.displacement_offset == raw.disp.offset, "displacement_offset");
    found.expect(ours.displacement == static_cast<std::int32_t>(raw.disp.value), "displacement");
  } else {
    found.expect(ours.displacement == 0, "displacement without one");
  }
  const bool rip_relative = modrm && raw.modrm.mod == 0 && raw.modrm.rm == 5;
  const bool registers_whatever_mod = ours.control == Control::kTrap && raw.disp.size == 0;
  found.expect(ours.rip_relative == (rip_relative && !registers_whatever_mod), "rip_relative");
  found.expect(ours.immediate_size * 8 == raw.imm[0].size + raw.imm[1].size, "immediate_size");
  if (raw.imm[0].size != 0) {
    found.expect(ours.immediate_offset == raw.imm[0].offset, "immediate_offset");
    const std::uint64_t second = raw.imm[1].size == 0 ? 0 : raw.imm[1].value.u << raw.imm[0].size;
    std::uint64_t value = raw.imm[0].value.u | second;
    // Zydis calls the immediate of mov to a register signed, but the high half becomes 0.
    if (theirs.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (theirs.opcode & 0xf0) == 0xb0 &&
        raw.imm[0].size < 64) {
      value &= (1ULL << raw.imm[0].size) - 1;
    }
    found.expect(static_cast<std::uint64_t>(ours.immediate) == value, "immediate");
  }
  const bool rex = (theirs.attributes & ZYDIS_ATTRIB_HAS_REX) != 0;
  found.expect(
      ours.rex == (rex ? 0x40 | raw.rex.W << 3 | raw.rex.R << 2 | raw.rex.X << 1 | raw.rex.B : 0),
      "rex");
  found.expect(ours.prefix_size == raw.prefix_count, "prefix_size");
}

void compare_meaning(const Instruction& ours, const Decoded& decoded, Comparison& comparison,
                     Differences& found) {
  const ZydisDecodedInstruction& theirs = decoded.instruction;
  const Control control = control_of(decoded);
  found.expect(ours.control == control, "control");
  if (control == Control::kConditional) {
    found.expect(ours.condition == (theirs.opcode & 15), "condition");
  }
  const Registers registers = registers_of(decoded);
  if (!address_is_not_modelled(decoded)) {
    // A nop accesses nothing, but saying that it does is harmless.
    const bool nop = theirs.meta.category == ZYDIS_CATEGORY_WIDENOP;
    found.expect(nop || ours.fs_segment == registers.fs, "fs_segment");
    found.expect(nop || ours.gs_segment == registers.gs, "gs_segment");
    const bool address_32 =
        theirs.address_width == 32 && (registers.address || control == Control::kLoop);
    found.expect(ours.address_size_32 == address_32, "address_size_32");
  }
  const bool string = theirs.meta.category == ZYDIS_CATEGORY_STRINGOP ||
                      theirs.meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
  found.expect(ours.repeated ==
                   (string && (theirs.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
                                                    ZYDIS_ATTRIB_HAS_REPNE)) != 0),
               "repeated");
  found.expect(ours.locked == ((theirs.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0), "locked");

  const Flags flags = flags_of(decoded, control);
  found.expect((flags.read & ~ours.flags_read) == 0, "flags_read");
  found.expect((ours.flags_killed & ~flags.killed) == 0, "flags_killed");
  comparison.exact_flags = flags.read == ours.flags_read && flags.killed == ours.flags_killed;
  found.expect((registers.all & ~std::uint32_t{ours.registers}) == 0, "registers");
  comparison.exact_registers = registers.all == ours.registers;
  found.expect(overwritten_holds(ours, decoded, registers), "overwritten");
  comparison.exact_overwritten = !overwritten_missed(ours, decoded, registers);
}

}  // namespace

std::string hexadecimal(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    if (!text.empty()) text += ' ';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Comparison compare_with_zydis(std::span<const std::uint8_t> bytes) {
  Comparison comparison;
  Instruction ours{};
  Decoded decoded;
  const bool we_know = decode_instruction(bytes.data(), bytes.size(), ours);
  const bool zydis_knows = zydis_decode(bytes, decoded);
  if (!zydis_knows) {
    comparison.verdict = we_know ? Verdict::kOnlyOurs : Verdict::kNeither;
    comparison.length = we_know ? ours.length : 0;
    return comparison;
  }
  comparison.length = decoded.instruction.length;
  comparison.user_mode = (decoded.instruction.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED) == 0;
  Differences found;
  if (!we_know) {
    const bool excluded =
        knights_corner(decoded.instruction) || ambiguous_branch(decoded.instruction);
    comparison.verdict = excluded ? Verdict::kExcluded : Verdict::kOnlyZydis;
    found.expect(comparison.verdict == Verdict::kExcluded, "refused");
  } else {
    compare_places(ours, decoded, found);
    compare_meaning(ours, decoded, comparison, found);
    found.expect(!ambiguous_branch(decoded.instruction), "accepted with a 66 prefix");
    comparison.verdict = found.text().empty() ? Verdict::kSame : Verdict::kDifferent;
  }
  if (!found.text().empty()) {
    comparison.difference = hexadecimal(bytes.first(decoded.instruction.length)) + ": " +
                            ZydisMnemonicGetString(decoded.instruction.mnemonic) + ": " +
                            found.text();
  }
  return comparison;
}

}  // namespace bops::native
