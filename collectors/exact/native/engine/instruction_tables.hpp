// The rows behind decode_instruction(): what each opcode's form does, as constant data without
// pointers (the engine has nobody who would relocate them).
#pragma once

#include <cstddef>
#include <cstdint>

#include "collectors/exact/native/engine/instruction.hpp"

namespace bops::native {

/// What follows ModRM and displacement.
enum class Immediate : std::uint8_t {
  kNone,
  kSigned8,
  kUnsigned8,
  kUnsigned16,
  kUnsigned32,
  kOperand,   ///< 2 bytes with a 66 prefix, else 4 and sign-extended
  kFull,      ///< 2, 4 or 8 bytes, by operand size
  kEnter,     ///< 2 and 1 bytes
  kTwoBytes,  ///< 1 and 1
  kAddress,   ///< 8 bytes, 4 with a 67 prefix
  kSuffix,    ///< 3DNow!: the opcode's last byte
};

enum Trait : std::uint32_t {
  kModrm = 1U << 0,
  kByteReg = 1U << 1,          ///< ModRM.reg is an 8-bit register
  kByteRm = 1U << 2,           ///< ModRM.rm is one, or the opcode's register
  kMemoryOnly = 1U << 3,       ///< ModRM.rm must be memory
  kRegisterOnly = 1U << 4,     ///< ModRM.rm must be a register
  kOpcodeRegister = 1U << 5,   ///< the other operand is the opcode's, not VEX.vvvv
  kReadsCondition = 1U << 6,   ///< reads the flags that the opcode's low four bits name
  kShiftCount = 1U << 7,       ///< kills no flag if the immediate's masked value is 0
  kImplicitMemory = 1U << 8,   ///< an access that ModRM does not show: 67 matters
  kImplicitSegment = 1U << 9,  ///< and so do FS and GS
  kVectorIndex = 1U << 10,     ///< the SIB byte's index is a vector register
  kNoAccess = 1U << 11,        ///< lea, nop: the memory operand is not accessed
  kString = 1U << 12,          ///< F2 and F3 repeat it
  kNearBranch = 1U << 13,      ///< unknown with 66 and no REX.W
  kWhole = 1U << 14,           ///< kOverwrites holds for any operand size
  kClearing = 1U << 15,        ///< reg op same reg does not depend on its value
  kModIgnored = 1U << 17,      ///< ModRM.rm is a register whatever mod says
  kNeedsSib = 1U << 18,
  kMayBeNop = 1U << 19,      ///< xchg with RAX
  kOddImmediate = 1U << 20,  ///< kAddress, kSuffix
};

/// The places where rows are looked up: opcode maps by opcode, groups by ModRM.
enum class Map : std::uint8_t {
  kOneByte,
  k0f,
  k0f38,
  k0f3a,
  kVex1,
  kVex2,
  kVex3,
  kVex7,
  kXop8,
  kXop9,
  kXop10,
  kEvex1,
  kEvex2,
  kEvex3,
  kEvex5,
  kEvex6,
  // Groups, named by their opcode.
  k80,
  k81,
  k83,
  k8c,
  k8e,
  k8f,
  kC0,
  kC1,
  kC6,
  kC7,
  kD0,
  kD1,
  kD2,
  kD3,
  kF6,
  kF7,
  kFe,
  kFf,
  kD9,
  kDa,
  kDb,
  kDd,
  kDe,
  kDf,
  k0f00,
  k0f01,
  k0f20,
  k0f1a,
  k0f1b,
  k0f1e,
  k0f71,
  k0f72,
  k0f73,
  k0f78,
  k0fa6,
  k0fa7,
  k0fae,
  k0fba,
  k0fc7,
  k0f38d8,
  k0f38dc,
  k0f3af0,
  kVexAe,
  kVex49,
  kVexF3,
  kVex7F8,
  kXop901,
  kXop902,
  kXop912,
  kXop1012,
  kEvexC6,
  kCount,
  kEscape = kCount,  ///< prefixes, 0F 38, 0F 3A, VEX, EVEX, XOP: the opcode follows; also row 0
  kNoGroup,
};

/// What happens to general registers: bit i for register i that is used (read, or written in part,
/// or not always), bit 16 + i for one that is overwritten: written as a whole if the operand has 32
/// or 64 bits, and not read. Of an operand: 0, kUses or kOverwrites, to be shifted by its number.
using Effects = std::uint32_t;
inline constexpr Effects kUses = 1;
inline constexpr Effects kOverwrites = 1U << 16;

/// One row.
struct alignas(32) Form {
  std::uint32_t traits = 0;
  Effects implicit = 0;  ///< on registers besides the operands
  Effects reg = 0;       ///< on ModRM.reg
  Effects rm = 0;        ///< on ModRM.rm, unless that is memory
  Effects other = 0;     ///< on VEX.vvvv, or the opcode's low three bits
  std::uint8_t flags_read = 0;
  std::uint8_t flags_killed = 0;
  Immediate immediate = Immediate::kNone;
  Control control = Control::kNone;
  std::uint8_t condition = 0;  ///< of a jcc
  /// Joined to the ModRM byte: 0xc0, a register form, if there is none or its mod plays no part.
  std::uint8_t modrm_or = 0xc0;
  Map group = Map::kNoGroup;  ///< where to look on
};

inline constexpr std::size_t kColumns = 4;  ///< no mandatory prefix, 66, F3, F2
inline constexpr std::size_t kOpcodes = 256;
/// Of a group: memory forms by ModRM.reg, then register forms by the ModRM byte's low six bits.
inline constexpr std::size_t kGroupEntries = 8 + 64;
inline constexpr auto kFirstGroup = static_cast<std::size_t>(Map::k80);
inline constexpr auto kGroups = static_cast<std::size_t>(Map::kCount) - kFirstGroup;

inline constexpr std::size_t kMostForms = 576;

/// Plain arrays: <array> does not compile for general registers only with every compiler.
struct InstructionTables {
  Form forms[kMostForms];
  /// Numbers of rows in `forms`; 0: no such instruction.
  std::uint16_t opcodes[kFirstGroup][kColumns][kOpcodes];
  std::uint16_t groups[kGroups][kColumns][kGroupEntries];
};

extern const InstructionTables instruction_tables;

}  // namespace bops::native
