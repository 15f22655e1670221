// Which opcodes exist and what they do. Sources: Intel SDM volume 2 and AMD APM volumes 3 to 5;
// flags that the manuals leave undefined count as killed.
#include "collectors/exact/native/engine/instruction_tables.hpp"

namespace bops::native {
namespace {

constexpr Effects kNo = 0, kUse = kUses, kOver = kOverwrites;

constexpr std::uint16_t kRax = 1, kRcx = 2, kRdx = 4, kRbx = 8, kRsp = 16, kRbp = 32, kRsi = 64,
                        kRdi = 128;
constexpr std::uint16_t kAllRegisters = 0xffff;

constexpr std::uint8_t kC = kCarryFlag, kP = kParityFlag, kA = kAdjustFlag, kZ = kZeroFlag,
                       kS = kSignFlag, kO = kOverflowFlag;

constexpr Immediate kI8 = Immediate::kSigned8, kU8 = Immediate::kUnsigned8,
                    kU16 = Immediate::kUnsigned16, kU32 = Immediate::kUnsigned32,
                    kIz = Immediate::kOperand;

// A row being written: each function adds one property.
struct Row : Form {
  consteval Row is(std::uint32_t more) const {
    Row row = *this;
    row.traits |= more;
    if ((more & kModIgnored) != 0) row.modrm_or = 0xc0;
    return row;
  }
  consteval Row uses(std::uint16_t registers) const {
    Row row = *this;
    row.implicit = registers;
    return row;
  }
  consteval Row overwrites_rdx() const {
    Row row = *this;
    row.implicit |= kOverwrites << 2;
    return row;
  }
  consteval Row reads(int flags) const {
    Row row = *this;
    row.flags_read = static_cast<std::uint8_t>(flags);
    return row;
  }
  consteval Row kills(int flags) const {
    Row row = *this;
    row.flags_killed = static_cast<std::uint8_t>(flags);
    return row;
  }
  consteval Row takes(Immediate kind) const {
    Row row = *this;
    row.immediate = kind;
    return row;
  }
  consteval Row goes(Control where) const {
    Row row = *this;
    row.control = where;
    return row;
  }
};

// No ModRM.
consteval Row plain(std::uint16_t registers = 0) {
  return Row{}.uses(registers);
}
consteval Row opcode_register(Effects effects) {
  Row row;
  row.traits = kOpcodeRegister;
  row.other = effects;
  return row;
}
consteval Row modrm(Effects reg, Effects rm, Effects vvvv = kNo) {
  Row row;
  row.traits = kModrm;
  row.modrm_or = 0;
  row.reg = reg;
  row.rm = rm;
  row.other = vvvv;
  return row;
}
// Vector and x87 registers only, but for an address.
consteval Row vector() {
  return modrm(kNo, kNo);
}
consteval Row group(Map map) {
  Row row = vector();
  row.group = map;
  return row;
}
consteval Row trap() {
  return plain().goes(Control::kTrap);
}
consteval Row trap_modrm(Effects reg, Effects rm) {
  return modrm(reg, rm).goes(Control::kTrap);
}

constexpr std::uint8_t kNp = 1, k66 = 2, kF3 = 4, kF2 = 8;
constexpr std::uint8_t kAny = kNp | k66 | kF3 | kF2;
constexpr std::uint8_t kNot66 = kNp;  // XOP knows no mandatory prefix

struct Line {
  Map map;
  std::uint8_t columns;  // of mandatory prefixes
  // Hexadecimal opcodes and ranges of them. In a group: 0-7 are memory forms by ModRM.reg, c0-ff
  // register forms by the ModRM byte.
  const char* opcodes;
  Row row;
};

// One byte. The mandatory prefix plays no part: the first column is looked at (but see 8f).
constexpr Line kOneByteLines[] = {
    {Map::kOneByte, kNp, "00 02 08 0a 20 22 28 2a 30 32 38 3a 84",
     modrm(kUse, kUse).kills(kAllFlags).is(kByteReg | kByteRm)},
    {Map::kOneByte, kNp, "01 03 09 0b 21 23 39 3b 85", modrm(kUse, kUse).kills(kAllFlags)},
    {Map::kOneByte, kNp, "29 2b 31 33", modrm(kUse, kUse).kills(kAllFlags).is(kClearing)},
    {Map::kOneByte, kNp, "10 12 18 1a",
     modrm(kUse, kUse).reads(kC).kills(kAllFlags).is(kByteReg | kByteRm)},
    {Map::kOneByte, kNp, "11 13", modrm(kUse, kUse).reads(kC).kills(kAllFlags)},
    {Map::kOneByte, kNp, "19 1b", modrm(kUse, kUse).reads(kC).kills(kAllFlags).is(kClearing)},
    {Map::kOneByte, kNp, "04 0c 24 2c 34 3c a8", plain(kRax).takes(kI8).kills(kAllFlags)},
    {Map::kOneByte, kNp, "05 0d 25 2d 35 3d a9", plain(kRax).takes(kIz).kills(kAllFlags)},
    {Map::kOneByte, kNp, "14 1c", plain(kRax).takes(kI8).reads(kC).kills(kAllFlags)},
    {Map::kOneByte, kNp, "15 1d", plain(kRax).takes(kIz).reads(kC).kills(kAllFlags)},
    {Map::kOneByte, kNp, "50-5f", opcode_register(kUse).uses(kRsp)},
    {Map::kOneByte, kNp, "63", modrm(kOver, kUse)},
    {Map::kOneByte, kNp, "68", plain(kRsp).takes(kIz)},
    {Map::kOneByte, kNp, "69", modrm(kOver, kUse).takes(kIz).kills(kAllFlags)},
    {Map::kOneByte, kNp, "6a", plain(kRsp).takes(kI8)},
    {Map::kOneByte, kNp, "6b", modrm(kOver, kUse).takes(kI8).kills(kAllFlags)},
    {Map::kOneByte, kNp, "6c 6d", plain(kRdx | kRdi).is(kString | kImplicitMemory)},
    {Map::kOneByte, kNp, "6e 6f",
     plain(kRdx | kRsi).is(kString | kImplicitMemory | kImplicitSegment)},
    {Map::kOneByte, kNp, "70-7f",
     plain().takes(kI8).goes(Control::kConditional).is(kReadsCondition | kNearBranch)},
    {Map::kOneByte, kNp, "80", group(Map::k80)},
    {Map::kOneByte, kNp, "81", group(Map::k81)},
    {Map::kOneByte, kNp, "83", group(Map::k83)},
    {Map::kOneByte, kNp, "86", modrm(kUse, kUse).is(kByteReg | kByteRm)},
    {Map::kOneByte, kNp, "87", modrm(kUse, kUse)},
    {Map::kOneByte, kNp, "88 8a", modrm(kUse, kUse).is(kByteReg | kByteRm)},
    {Map::kOneByte, kNp, "89", modrm(kUse, kOver)},
    {Map::kOneByte, kNp, "8b", modrm(kOver, kUse)},
    {Map::kOneByte, kNp, "8c", group(Map::k8c)},
    {Map::kOneByte, kNp, "8d", modrm(kOver, kNo).is(kMemoryOnly | kNoAccess)},
    {Map::kOneByte, kNp, "8e", group(Map::k8e)},
    {Map::kOneByte, kNp, "26 2e 36 3e 40-4f 62 64-67 8f c4 c5 f0 f2 f3", group(Map::kEscape)},
    {Map::kOneByte, k66, "8f", group(Map::k8f)},  // where it is no XOP prefix,
    {Map::kOneByte, kNp, "90-97", opcode_register(kUse).uses(kRax).is(kMayBeNop)},
    {Map::kOneByte, kNp, "98", plain(kRax)},
    {Map::kOneByte, kNp, "99", plain(kRax).overwrites_rdx()},
    {Map::kOneByte, kNp, "9b", plain()},
    {Map::kOneByte, kNp, "9c", plain(kRsp).reads(kAllFlags)},
    {Map::kOneByte, kNp, "9d", plain(kRsp).kills(kAllFlags)},
    {Map::kOneByte, kNp, "9e", plain(kRax).kills(kC | kP | kA | kZ | kS)},
    {Map::kOneByte, kNp, "9f", plain(kRax).reads(kC | kP | kA | kZ | kS)},
    {Map::kOneByte, kNp, "a0-a3",
     plain(kRax).takes(Immediate::kAddress).is(kImplicitMemory | kImplicitSegment | kOddImmediate)},
    {Map::kOneByte, kNp, "a4 a5",
     plain(kRsi | kRdi).is(kString | kImplicitMemory | kImplicitSegment)},
    {Map::kOneByte, kNp, "a6 a7",
     plain(kRsi | kRdi).kills(kAllFlags).is(kString | kImplicitMemory | kImplicitSegment)},
    {Map::kOneByte, kNp, "aa ab", plain(kRax | kRdi).is(kString | kImplicitMemory)},
    {Map::kOneByte, kNp, "ac ad",
     plain(kRax | kRsi).is(kString | kImplicitMemory | kImplicitSegment)},
    {Map::kOneByte, kNp, "ae af",
     plain(kRax | kRdi).kills(kAllFlags).is(kString | kImplicitMemory)},
    {Map::kOneByte, kNp, "b0-b7", opcode_register(kUse).takes(kU8).is(kByteRm)},
    {Map::kOneByte, kNp, "b8-bf", opcode_register(kOver).takes(Immediate::kFull)},
    {Map::kOneByte, kNp, "c0", group(Map::kC0)},
    {Map::kOneByte, kNp, "c1", group(Map::kC1)},
    {Map::kOneByte, kNp, "c2", plain(kRsp).takes(kU16).goes(Control::kReturn).is(kNearBranch)},
    {Map::kOneByte, kNp, "c3", plain(kRsp).goes(Control::kReturn).is(kNearBranch)},
    {Map::kOneByte, kNp, "c6", group(Map::kC6)},
    {Map::kOneByte, kNp, "c7", group(Map::kC7)},
    {Map::kOneByte, kNp, "c8", plain(kRsp | kRbp).takes(Immediate::kEnter)},
    {Map::kOneByte, kNp, "c9", plain(kRsp | kRbp)},
    {Map::kOneByte, kNp, "ca", plain(kAllRegisters).takes(kU16).goes(Control::kFar)},
    {Map::kOneByte, kNp, "cb cf", plain(kAllRegisters).goes(Control::kFar)},
    {Map::kOneByte, kNp, "cc f1", plain()},
    {Map::kOneByte, kNp, "cd", plain(kAllRegisters).takes(kU8).goes(Control::kInterrupt)},
    {Map::kOneByte, kNp, "d0", group(Map::kD0)},
    {Map::kOneByte, kNp, "d1", group(Map::kD1)},
    {Map::kOneByte, kNp, "d2", group(Map::kD2)},
    {Map::kOneByte, kNp, "d3", group(Map::kD3)},
    {Map::kOneByte, kNp, "d7", plain(kRax | kRbx).is(kImplicitMemory | kImplicitSegment)},
    {Map::kOneByte, kNp, "d8 dc", vector()},
    {Map::kOneByte, kNp, "d9", group(Map::kD9)},
    {Map::kOneByte, kNp, "da", group(Map::kDa)},
    {Map::kOneByte, kNp, "db", group(Map::kDb)},
    {Map::kOneByte, kNp, "dd", group(Map::kDd)},
    {Map::kOneByte, kNp, "de", group(Map::kDe)},
    {Map::kOneByte, kNp, "df", group(Map::kDf)},
    {Map::kOneByte, kNp, "e0 e1",
     plain(kRcx).takes(kI8).reads(kZ).goes(Control::kLoop).is(kNearBranch)},
    {Map::kOneByte, kNp, "e2 e3", plain(kRcx).takes(kI8).goes(Control::kLoop).is(kNearBranch)},
    {Map::kOneByte, kNp, "e4-e7", plain(kRax).takes(kU8)},
    {Map::kOneByte, kNp, "ec-ef", plain(kRax | kRdx)},
    {Map::kOneByte, kNp, "e8", plain(kRsp).takes(kIz).goes(Control::kCall).is(kNearBranch)},
    {Map::kOneByte, kNp, "e9", plain().takes(kIz).goes(Control::kJump).is(kNearBranch)},
    {Map::kOneByte, kNp, "eb", plain().takes(kI8).goes(Control::kJump).is(kNearBranch)},
    {Map::kOneByte, kNp, "f4", trap()},
    {Map::kOneByte, kNp, "f5", plain().reads(kC).kills(kC)},
    {Map::kOneByte, kNp, "f6", group(Map::kF6)},
    {Map::kOneByte, kNp, "f7", group(Map::kF7)},
    {Map::kOneByte, kNp, "f8 f9", plain().kills(kC)},
    {Map::kOneByte, kNp, "fa-fd", plain()},  // cli and sti are allowed with I/O privilege
    {Map::kOneByte, kNp, "fe", group(Map::kFe)},
    {Map::kOneByte, kNp, "ff", group(Map::kFf)},
};

constexpr Line kOneByteGroupLines[] = {
    {Map::k80, kNp, "0-1 4-7 c0-cf e0-ff",
     modrm(kNo, kUse).takes(kI8).kills(kAllFlags).is(kByteRm)},
    {Map::k80, kNp, "2-3 d0-df",
     modrm(kNo, kUse).takes(kI8).reads(kC).kills(kAllFlags).is(kByteRm)},
    {Map::k81, kNp, "0-1 4-7 c0-cf e0-ff", modrm(kNo, kUse).takes(kIz).kills(kAllFlags)},
    {Map::k81, kNp, "2-3 d0-df", modrm(kNo, kUse).takes(kIz).reads(kC).kills(kAllFlags)},
    {Map::k83, kNp, "0-1 4-7 c0-cf e0-ff", modrm(kNo, kUse).takes(kI8).kills(kAllFlags)},
    {Map::k83, kNp, "2-3 d0-df", modrm(kNo, kUse).takes(kI8).reads(kC).kills(kAllFlags)},
    {Map::k8c, kNp, "0-5 c0-ef", modrm(kNo, kUse)},
    {Map::k8e, kNp, "0 2-4 c0-c7 d0-e7", modrm(kNo, kUse)},
    {Map::k8e, kNp, "5 e8-ef", modrm(kNo, kUse).goes(Control::kGsBase)},
    {Map::k8f, kNp, "0 c0-c7", modrm(kNo, kUse).uses(kRsp)},
    // Shifts and rotations.
    {Map::kC0, kNp, "0-1 c0-cf",
     modrm(kNo, kUse).takes(kU8).kills(kC | kO).is(kByteRm | kShiftCount)},
    {Map::kC0, kNp, "2-3 d0-df",
     modrm(kNo, kUse).takes(kU8).reads(kC).kills(kC | kO).is(kByteRm | kShiftCount)},
    {Map::kC0, kNp, "4-7 e0-ff",
     modrm(kNo, kUse).takes(kU8).kills(kAllFlags).is(kByteRm | kShiftCount)},
    {Map::kC1, kNp, "0-1 c0-cf", modrm(kNo, kUse).takes(kU8).kills(kC | kO).is(kShiftCount)},
    {Map::kC1, kNp, "2-3 d0-df",
     modrm(kNo, kUse).takes(kU8).reads(kC).kills(kC | kO).is(kShiftCount)},
    {Map::kC1, kNp, "4-7 e0-ff", modrm(kNo, kUse).takes(kU8).kills(kAllFlags).is(kShiftCount)},
    {Map::kD0, kNp, "0-1 c0-cf", modrm(kNo, kUse).kills(kC | kO).is(kByteRm)},
    {Map::kD0, kNp, "2-3 d0-df", modrm(kNo, kUse).reads(kC).kills(kC | kO).is(kByteRm)},
    {Map::kD0, kNp, "4-7 e0-ff", modrm(kNo, kUse).kills(kAllFlags).is(kByteRm)},
    {Map::kD1, kNp, "0-1 c0-cf", modrm(kNo, kUse).kills(kC | kO)},
    {Map::kD1, kNp, "2-3 d0-df", modrm(kNo, kUse).reads(kC).kills(kC | kO)},
    {Map::kD1, kNp, "4-7 e0-ff", modrm(kNo, kUse).kills(kAllFlags)},
    {Map::kD2, kNp, "0-1 4-7 c0-cf e0-ff", modrm(kNo, kUse).uses(kRcx).is(kByteRm)},
    {Map::kD2, kNp, "2-3 d0-df", modrm(kNo, kUse).uses(kRcx).reads(kC).is(kByteRm)},
    {Map::kD3, kNp, "0-1 4-7 c0-cf e0-ff", modrm(kNo, kUse).uses(kRcx)},
    {Map::kD3, kNp, "2-3 d0-df", modrm(kNo, kUse).uses(kRcx).reads(kC)},
    {Map::kC6, kNp, "0 c0-c7", modrm(kNo, kUse).takes(kI8).is(kByteRm)},
    {Map::kC6, kNp, "f8", modrm(kNo, kNo).takes(kU8).uses(kRax)},  // xabort
    {Map::kC7, kNp, "0 c0-c7", modrm(kNo, kOver).takes(kIz)},
    {Map::kC7, kNp, "f8",
     modrm(kNo, kNo).takes(kIz).uses(kRax).goes(Control::kTransaction).is(kNearBranch)},
    {Map::kF6, kNp, "0-1 c0-cf", modrm(kNo, kUse).takes(kI8).kills(kAllFlags).is(kByteRm)},
    {Map::kF6, kNp, "2 d0-d7", modrm(kNo, kUse).is(kByteRm)},
    {Map::kF6, kNp, "3 d8-df", modrm(kNo, kUse).kills(kAllFlags).is(kByteRm)},
    {Map::kF6, kNp, "4-7 e0-ff", modrm(kNo, kUse).uses(kRax).kills(kAllFlags).is(kByteRm)},
    {Map::kF7, kNp, "0-1 c0-cf", modrm(kNo, kUse).takes(kIz).kills(kAllFlags)},
    {Map::kF7, kNp, "2 d0-d7", modrm(kNo, kUse)},
    {Map::kF7, kNp, "3 d8-df", modrm(kNo, kUse).kills(kAllFlags)},
    {Map::kF7, kNp, "4-5 e0-ef", modrm(kNo, kUse).uses(kRax).overwrites_rdx().kills(kAllFlags)},
    {Map::kF7, kNp, "6-7 f0-ff", modrm(kNo, kUse).uses(kRax | kRdx).kills(kAllFlags)},
    {Map::kFe, kNp, "0-1 c0-cf", modrm(kNo, kUse).kills(kP | kA | kZ | kS | kO).is(kByteRm)},
    {Map::kFf, kNp, "0-1 c0-cf", modrm(kNo, kUse).kills(kP | kA | kZ | kS | kO)},
    {Map::kFf, kNp, "2 d0-d7",
     modrm(kNo, kUse).uses(kRsp).goes(Control::kIndirectCall).is(kNearBranch)},
    {Map::kFf, kNp, "3 5", modrm(kNo, kNo).uses(kAllRegisters).goes(Control::kFar)},
    {Map::kFf, kNp, "4 e0-e7", modrm(kNo, kUse).goes(Control::kIndirectJump).is(kNearBranch)},
    {Map::kFf, kNp, "6 f0-f7", modrm(kNo, kUse).uses(kRsp)},
    // x87.
    {Map::kD9, kNp, "0 2-7 c0-d0 d8-e1 e4-e5 e8-ee f0-ff", vector()},
    {Map::kDa, kNp, "0-7 e9", vector()},
    {Map::kDa, kNp, "c0-c7", vector().reads(kC)},
    {Map::kDa, kNp, "c8-cf", vector().reads(kZ)},
    {Map::kDa, kNp, "d0-d7", vector().reads(kC | kZ)},
    {Map::kDa, kNp, "d8-df", vector().reads(kP)},
    {Map::kDb, kNp, "0-3 5 7 e0-e4", vector()},
    {Map::kDb, kNp, "c0-c7", vector().reads(kC)},
    {Map::kDb, kNp, "c8-cf", vector().reads(kZ)},
    {Map::kDb, kNp, "d0-d7", vector().reads(kC | kZ)},
    {Map::kDb, kNp, "d8-df", vector().reads(kP)},
    {Map::kDb, kNp, "e8-f7", vector().kills(kAllFlags)},  // fucomi, fcomi
    {Map::kDd, kNp, "0-4 6-7 c0-ef", vector()},
    {Map::kDe, kNp, "0-7 c0-d7 d9 e0-ff", vector()},
    {Map::kDf, kNp, "0-7 c0-df", vector()},
    {Map::kDf, kNp, "e0", vector().uses(kRax)},  // fnstsw ax
    {Map::kDf, kNp, "e8-f7", vector().kills(kAllFlags)},
};

constexpr Line k0fLines[] = {
    {Map::k0f, kAny, "00", group(Map::k0f00)},
    {Map::k0f, kAny, "01", group(Map::k0f01)},
    {Map::k0f, kAny, "02 03", modrm(kUse, kUse).kills(kZ)},
    {Map::k0f, kAny, "05", plain(kAllRegisters).goes(Control::kSystemCall)},
    {Map::k0f, kAny, "06 08 09", trap()},
    {Map::k0f, kAny, "07 35 aa", plain(kAllRegisters).goes(Control::kTrap)},
    {Map::k0f, kAny, "0b", trap()},
    {Map::k0f, kAny, "0d 1c", modrm(kUse, kUse)},
    {Map::k0f, kAny, "0e", plain()},
    {Map::k0f, kAny, "0f", vector().takes(Immediate::kSuffix).is(kOddImmediate)},
    {Map::k0f, kAny, "18", modrm(kNo, kUse)},
    {Map::k0f, kAny, "19 1d 1f", modrm(kUse, kUse).is(kNoAccess)},
    {Map::k0f, kAny, "1e", group(Map::k0f1e)},
    {Map::k0f, kAny, "1a 1b", modrm(kUse, kUse)},  // MPX, or nop
    {Map::k0f, kAny, "20 22", group(Map::k0f20).is(kModIgnored)},
    {Map::k0f, kAny, "21 23", trap_modrm(kNo, kUse).is(kModIgnored)},
    {Map::k0f, kAny, "30", plain(kRax | kRcx | kRdx).goes(Control::kTrap)},
    {Map::k0f, kAny, "31", plain(kRax | kRdx)},
    {Map::k0f, kAny, "32", plain(kRax | kRcx | kRdx).goes(Control::kTrap)},
    {Map::k0f, kAny, "33", plain(kRax | kRcx | kRdx)},
    {Map::k0f, kAny, "34", plain(kAllRegisters).goes(Control::kInterrupt)},
    {Map::k0f, kNp, "37", plain(kAllRegisters)},  // getsec
    {Map::k0f, kAny, "38 3a", group(Map::kEscape)},
    {Map::k0f, kAny, "40-4f", modrm(kUse, kUse).is(kReadsCondition)},
    {Map::k0f, kNp, "77", plain()},
    {Map::k0f, kAny, "80-8f",
     plain().takes(kIz).goes(Control::kConditional).is(kReadsCondition | kNearBranch)},
    {Map::k0f, kAny, "90-9f", modrm(kNo, kUse).is(kByteRm | kReadsCondition)},
    {Map::k0f, kAny, "a0 a1 a8", plain(kRsp)},
    {Map::k0f, kAny, "a9", plain(kRsp).goes(Control::kGsBase)},
    {Map::k0f, kAny, "a2", plain(kRax | kRbx | kRcx | kRdx)},
    {Map::k0f, kAny, "a3 ab b3 bb", modrm(kUse, kUse).kills(kC | kP | kA | kS | kO)},
    {Map::k0f, kAny, "a4 ac", modrm(kUse, kUse).takes(kU8).kills(kAllFlags).is(kShiftCount)},
    {Map::k0f, kAny, "a5 ad", modrm(kUse, kUse).uses(kRcx)},
    {Map::k0f, kAny, "a6", group(Map::k0fa6)},
    {Map::k0f, kAny, "a7", group(Map::k0fa7)},
    {Map::k0f, kAny, "ae", group(Map::k0fae)},
    {Map::k0f, kAny, "af", modrm(kUse, kUse).kills(kAllFlags)},
    {Map::k0f, kAny, "b0", modrm(kUse, kUse).uses(kRax).kills(kAllFlags).is(kByteReg | kByteRm)},
    {Map::k0f, kAny, "b1", modrm(kUse, kUse).uses(kRax).kills(kAllFlags)},
    {Map::k0f, kAny, "b2 b4", modrm(kUse, kNo).is(kMemoryOnly)},
    {Map::k0f, kAny, "b5", modrm(kUse, kNo).goes(Control::kGsBase).is(kMemoryOnly)},
    {Map::k0f, kAny, "b6 be", modrm(kOver, kUse).is(kByteRm)},
    {Map::k0f, kAny, "b7 bf", modrm(kOver, kUse)},
    {Map::k0f, kF3, "b8", modrm(kOver, kUse).kills(kAllFlags)},
    {Map::k0f, kAny, "b9 ff", modrm(kUse, kUse).goes(Control::kTrap)},
    {Map::k0f, kAny, "ba", group(Map::k0fba)},
    // bsf and bsr leave the destination alone at zero, and so do tzcnt and lzcnt on CPUs that know
    // only those.
    {Map::k0f, kAny, "bc bd", modrm(kUse, kUse).kills(kAllFlags)},
    {Map::k0f, kAny, "c0", modrm(kUse, kUse).kills(kAllFlags).is(kByteReg | kByteRm)},
    {Map::k0f, kAny, "c1", modrm(kUse, kUse).kills(kAllFlags)},
    {Map::k0f, kNp, "c3", modrm(kUse, kNo).is(kMemoryOnly)},
    {Map::k0f, kAny, "c7", group(Map::k0fc7)},
    {Map::k0f, kAny, "c8-cf", opcode_register(kUse)},
    // MMX and SSE.
    {Map::k0f, kNp, "10-12 14-16 28-2a 2c-2d 51-6b 6f 74-76 7f d1-d5 d8-e5 e8-ef f1-f6 f8-fe",
     vector()},
    {Map::k0f, k66,
     "10-11 14-15 28-2a 2c-2d 51 54-6d 6f 74-76 7c-7d 7f d0-d6 d8-e6 e8-ef f1-f6 f8-fe", vector()},
    {Map::k0f, kF3, "10-12 16 51-53 58-5f 6f 7e-7f e6", vector()},
    {Map::k0f, kF2, "10-12 51 58-5a 5c-5f 7c-7d d0 e6", vector()},
    {Map::k0f, kNp, "13 17 2b e7", vector().is(kMemoryOnly)},
    {Map::k0f, k66, "12-13 16-17 2b e7", vector().is(kMemoryOnly)},
    {Map::k0f, kF3, "2b", vector().is(kMemoryOnly)},
    {Map::k0f, kF2, "2b f0", vector().is(kMemoryOnly)},
    {Map::k0f, kNp | k66, "f7",
     vector().uses(kRdi).is(kRegisterOnly | kImplicitMemory | kImplicitSegment)},
    {Map::k0f, k66 | kF2, "79", vector().is(kRegisterOnly)},
    {Map::k0f, kF3 | kF2, "d6", vector().is(kRegisterOnly)},
    {Map::k0f, kNp | k66, "2e 2f", vector().kills(kAllFlags)},
    {Map::k0f, kF3 | kF2, "2a", modrm(kNo, kUse)},
    {Map::k0f, kF3 | kF2, "2c 2d", modrm(kUse, kNo)},
    {Map::k0f, kNp | k66, "50 d7", modrm(kOver, kNo).is(kRegisterOnly | kWhole)},
    {Map::k0f, kNp | k66, "6e", modrm(kNo, kUse)},
    {Map::k0f, kNp | k66, "7e", modrm(kNo, kOver).is(kWhole)},
    {Map::k0f, kAny, "70 c2", vector().takes(kU8)},
    {Map::k0f, kNp | k66, "c6", vector().takes(kU8)},
    {Map::k0f, kNp | k66, "71", group(Map::k0f71)},
    {Map::k0f, kNp | k66, "72", group(Map::k0f72)},
    {Map::k0f, kNp | k66, "73", group(Map::k0f73)},
    {Map::k0f, kNp, "78 79", trap_modrm(kUse, kUse)},  // vmread, vmwrite
    {Map::k0f, k66 | kF2, "78", group(Map::k0f78)},
    {Map::k0f, kNp | k66, "c4", modrm(kNo, kUse).takes(kU8)},
    {Map::k0f, kNp | k66, "c5", modrm(kOver, kNo).takes(kU8).is(kRegisterOnly | kWhole)},
};

constexpr Line k0fGroupLines[] = {
    {Map::k0f00, kAny, "0-1 c0-cf", modrm(kNo, kUse)},
    {Map::k0f00, kAny, "2-3 d0-df", trap_modrm(kNo, kUse)},
    {Map::k0f00, kAny, "4-5 e0-ef", modrm(kNo, kUse).kills(kZ)},
    {Map::k0f00, kF2, "6 f0-f7", trap_modrm(kNo, kUse)},  // lkgs
    {Map::k0f01, kAny, "0-1", vector()},
    {Map::k0f01, kAny, "2-3", trap_modrm(kNo, kNo)},
    {Map::k0f01, kAny, "4 e0-e7", modrm(kNo, kUse)},
    {Map::k0f01, kAny, "6-7 f0-f7", trap_modrm(kNo, kUse)},
    {Map::k0f01, kF3, "5", vector().kills(kAllFlags)},  // rstorssp
    {Map::k0f01, kNp, "c0 c2-c7 cf d1 d8 da-df fe-ff",
     vector().uses(kAllRegisters).goes(Control::kTrap)},
    {Map::k0f01, kNp, "c1 d4 d7 d9", vector().uses(kAllRegisters)},
    // monitor and mwait: AMD has a bit that allows them to users
    {Map::k0f01, kNp, "c8",
     vector().uses(kRax | kRcx | kRdx).is(kImplicitMemory | kImplicitSegment)},
    {Map::k0f01, kNp, "c9", vector().uses(kRax | kRcx | kRdx)},
    {Map::k0f01, kNp, "ca-cb", trap_modrm(kNo, kNo)},
    {Map::k0f01, kNp, "d0 ee-ef", vector().uses(kRax | kRcx | kRdx)},
    {Map::k0f01, kNp, "d5", vector()},
    {Map::k0f01, kNp, "d6", vector().kills(kAllFlags)},
    {Map::k0f01, kNp, "e8", vector()},
    {Map::k0f01, kAny, "f8", vector().goes(Control::kGsBase)},
    {Map::k0f01, kAny, "f9", vector().uses(kRax | kRcx | kRdx)},
    {Map::k0f01, kNp, "fa",
     vector().uses(kRax | kRcx | kRdx).is(kImplicitMemory | kImplicitSegment)},
    {Map::k0f01, kNp, "fb", vector().uses(kRax | kRbx | kRcx | kRdx)},
    {Map::k0f01, kAny, "fc", vector().uses(kRax).is(kImplicitMemory | kImplicitSegment)},
    {Map::k0f01, kAny, "fd", vector().uses(kRax | kRcx | kRdx)},
    {Map::k0f01, k66, "cc-cf", vector().uses(kAllRegisters).goes(Control::kTrap)},
    {Map::k0f01, k66 | kF3 | kF2, "d8 da-df", vector().uses(kAllRegisters).goes(Control::kTrap)},
    {Map::k0f01, k66 | kF3 | kF2, "d9", vector().uses(kAllRegisters)},
    {Map::k0f01, kF3, "c6 ca e8 fe-ff", vector().uses(kAllRegisters).goes(Control::kTrap)},
    {Map::k0f01, kF3, "ea ee-ef", vector()},
    {Map::k0f01, kF3, "ec", vector().uses(kAllRegisters).goes(Control::kFar)},  // uiret
    {Map::k0f01, kF3, "ed", vector().kills(kAllFlags)},                         // testui
    {Map::k0f01, kF3, "fa", vector().uses(kRcx)},                               // mcommit
    {Map::k0f01, kF2, "c6 ca fe-ff", vector().uses(kAllRegisters).goes(Control::kTrap)},
    {Map::k0f01, kF2, "e8-e9", vector()},
    {Map::k0f1e, kNp | k66 | kF2, "0-7 c0-ff", modrm(kUse, kUse).is(kNoAccess)},
    {Map::k0f1e, kF3, "0-7 c0-f9 fc-ff", modrm(kUse, kUse).is(kNoAccess)},  // rdssp, or nop
    {Map::k0f1e, kF3, "fa-fb", vector()},                                   // endbr64, endbr32
    {Map::k0f20, kAny, "c0-c7 d0-e7",
     trap_modrm(kNo, kUse).is(kModIgnored)},  // control registers 0, 2, 3, 4, 8
    {Map::k0f71, kAny, "d0-d7 e0-e7 f0-f7", vector().takes(kU8)},
    {Map::k0f72, kAny, "d0-d7 e0-e7 f0-f7", vector().takes(kU8)},
    {Map::k0f73, kAny, "d0-d7 f0-f7", vector().takes(kU8)},
    {Map::k0f73, k66, "d8-df f8-ff", vector().takes(kU8)},
    {Map::k0f78, k66, "c0-c7", vector().takes(Immediate::kTwoBytes)},
    {Map::k0f78, kF2, "c0-ff", vector().takes(Immediate::kTwoBytes)},
    // VIA PadLock.
    {Map::k0fa6, kF3, "c0 c8 d0", vector().uses(0xff).is(kImplicitMemory)},
    {Map::k0fa7, kNp | k66 | kF3, "c0", vector().uses(0xff).is(kImplicitMemory)},
    {Map::k0fa7, kF3, "c8 d0 d8 e0 e8", vector().uses(0xff).is(kImplicitMemory)},
    {Map::k0fae, kNp, "0-3 7 e8-ff", vector()},
    {Map::k0fae, kNp, "4-6", vector().uses(kRax | kRdx)},
    {Map::k0fae, k66, "6-7", vector()},
    {Map::k0fae, k66 | kF2, "f0-f7",
     modrm(kNo, kUse).uses(kRax | kRdx).kills(kAllFlags)},  // tpause, umwait
    {Map::k0fae, kF3, "4 c0-c7 d0-d7 e0-ef", modrm(kNo, kUse)},
    {Map::k0fae, kF3, "c8-cf d8-df", modrm(kNo, kUse).goes(Control::kGsBase)},
    {Map::k0fae, kF3, "6", trap_modrm(kNo, kNo)},  // clrssbsy
    {Map::k0fae, kF3, "f0-f7",
     modrm(kNo, kUse).is(kImplicitMemory | kImplicitSegment)},  // umonitor
    {Map::k0fba, kAny, "4-7 e0-ff", modrm(kNo, kUse).takes(kU8).kills(kC | kP | kA | kS | kO)},
    {Map::k0fc7, kAny, "1", vector().uses(kRax | kRbx | kRcx | kRdx).kills(kZ)},
    {Map::k0fc7, kNp, "3 5", vector().uses(kRax | kRdx).goes(Control::kTrap)},
    {Map::k0fc7, kNp, "4", vector().uses(kRax | kRdx)},
    {Map::k0fc7, kNp | k66 | kF3, "6", trap_modrm(kNo, kNo)},
    {Map::k0fc7, kNp, "7", trap_modrm(kNo, kNo)},
    {Map::k0fc7, kNp | k66, "f0-ff", modrm(kNo, kUse).kills(kAllFlags)},  // rdrand, rdseed
    {Map::k0fc7, kF3, "f0-ff", modrm(kNo, kUse)},                         // senduipi, rdpid
};

constexpr Line kThreeByteLines[] = {
    {Map::k0f38, kNp, "00-0b 1c-1e c8-cd", vector()},
    {Map::k0f38, k66, "00-0b 10 14-15 1c-1e 20-25 28-29 2b 30-35 37-41 cf db-df", vector()},
    {Map::k0f38, k66, "2a", vector().is(kMemoryOnly)},
    {Map::k0f38, k66, "17", vector().kills(kAllFlags)},
    {Map::k0f38, k66, "80-82", trap_modrm(kUse, kNo).is(kMemoryOnly)},
    {Map::k0f38, kF3, "d8", group(Map::k0f38d8)},
    {Map::k0f38d8, kF3, "0-3", vector().kills(kAllFlags)},
    {Map::k0f38, kF3, "dc", group(Map::k0f38dc)},
    {Map::k0f38dc, kF3, "0-7", vector().kills(kAllFlags)},
    {Map::k0f38dc, kF3, "c0-ff", vector().uses(kRax).goes(Control::kTrap)},  // loadiwkey
    {Map::k0f38, kF3, "dd-df", vector().kills(kAllFlags).is(kMemoryOnly)},
    {Map::k0f38, kNp | k66, "f0-f1", modrm(kUse, kNo).is(kMemoryOnly)},
    {Map::k0f38, kF2, "f0", modrm(kUse, kUse).is(kByteRm)},
    {Map::k0f38, kF2, "f1", modrm(kUse, kUse)},
    {Map::k0f38, k66, "f5", trap_modrm(kUse, kNo).is(kMemoryOnly)},  // wruss
    {Map::k0f38, kNp, "f6", modrm(kUse, kNo).is(kMemoryOnly)},       // wrss
    {Map::k0f38, k66, "f6", modrm(kUse, kUse).reads(kC).kills(kC)},
    {Map::k0f38, kF3, "f6", modrm(kUse, kUse).reads(kO).kills(kO)},
    {Map::k0f38, k66, "f8", modrm(kUse, kNo).is(kMemoryOnly)},
    // enqcmd, enqcmds; with registers urdmsr, uwrmsr
    {Map::k0f38, kF3 | kF2, "f8", modrm(kUse, kUse)},
    {Map::k0f38, kNp, "f9", modrm(kUse, kNo).is(kMemoryOnly)},
    {Map::k0f38, kF3, "fa-fb", modrm(kUse, kUse).kills(kAllFlags).is(kRegisterOnly)},
    {Map::k0f38, kAny, "fc", modrm(kUse, kNo).is(kMemoryOnly)},  // aadd, aand, axor, aor
    {Map::k0f3a, kNp, "0f cc", vector().takes(kU8)},
    {Map::k0f3a, k66, "08-0f 21 40-42 44 ce-cf df", vector().takes(kU8)},
    {Map::k0f3a, k66, "14-17", modrm(kNo, kOver).takes(kU8).is(kWhole)},
    {Map::k0f3a, k66, "20 22", modrm(kNo, kUse).takes(kU8)},
    {Map::k0f3a, k66, "60", vector().takes(kU8).uses(kRax | kRdx).kills(kAllFlags)},
    {Map::k0f3a, k66, "61", vector().takes(kU8).uses(kRax | kRcx | kRdx).kills(kAllFlags)},
    {Map::k0f3a, k66, "62", vector().takes(kU8).kills(kAllFlags)},
    {Map::k0f3a, k66, "63", vector().takes(kU8).uses(kRcx).kills(kAllFlags)},
    {Map::k0f3a, kF3, "f0", group(Map::k0f3af0)},
    {Map::k0f3af0, kF3, "c0", vector().takes(kU8).uses(kRax).goes(Control::kTrap)},  // hreset
};

constexpr Line kVexLines[] = {
    {Map::kVex1, kNp, "77", plain()},
    {Map::kVex1, kNp, "10-12 14-16 28-29 51-5f 90", vector()},
    {Map::kVex1, k66,
     "10-11 14-15 28-29 51 54-6d 6f 74-76 7c-7d 7f 90 d0-d6 d8-e6 e8-ef f1-f6 f8-fe", vector()},
    {Map::kVex1, kF3, "10-12 16 51-53 58-5f 6f 7e-7f e6", vector()},
    {Map::kVex1, kF2, "10-12 51 58-5a 5c-5f 7c-7d d0 e6", vector()},
    {Map::kVex1, kNp, "13 17 2b 91", vector().is(kMemoryOnly)},
    {Map::kVex1, k66, "12-13 16-17 2b 91 e7", vector().is(kMemoryOnly)},
    {Map::kVex1, kF2, "f0", vector().is(kMemoryOnly)},
    {Map::kVex1, kNp | k66, "41-42 44-47 4a-4b", vector().is(kRegisterOnly)},
    {Map::kVex1, k66, "f7",
     vector().uses(kRdi).is(kRegisterOnly | kImplicitMemory | kImplicitSegment)},
    {Map::kVex1, kAny, "c2", vector().takes(kU8)},
    {Map::kVex1, kNp | k66, "c6", vector().takes(kU8)},
    {Map::kVex1, k66 | kF3 | kF2, "70", vector().takes(kU8)},
    {Map::kVex1, k66, "71", group(Map::k0f71)},
    {Map::kVex1, k66, "72", group(Map::k0f72)},
    {Map::kVex1, k66, "73", group(Map::k0f73)},
    {Map::kVex1, kNp | k66, "2e 2f", vector().kills(kAllFlags)},
    {Map::kVex1, kNp | k66, "50", modrm(kOver, kNo).is(kRegisterOnly)},
    {Map::kVex1, k66, "d7", modrm(kOver, kNo).is(kRegisterOnly)},
    {Map::kVex1, kNp | k66 | kF2, "92", modrm(kNo, kUse).is(kRegisterOnly)},
    {Map::kVex1, kNp | k66 | kF2, "93", modrm(kOver, kNo).is(kRegisterOnly)},
    {Map::kVex1, kNp | k66, "98 99", vector().kills(kAllFlags).is(kRegisterOnly)},
    {Map::kVex1, kNp, "ae", group(Map::kVexAe)},
    {Map::kVexAe, kNp, "2-3", vector()},
    {Map::kVex1, k66, "6e", modrm(kNo, kUse)},
    {Map::kVex1, k66, "7e", modrm(kNo, kOver)},
    {Map::kVex1, k66, "c4", modrm(kNo, kUse).takes(kU8)},
    {Map::kVex1, k66, "c5", modrm(kOver, kNo).takes(kU8).is(kRegisterOnly)},
    {Map::kVex1, kF3 | kF2, "2a", modrm(kNo, kUse)},
    {Map::kVex1, kF3 | kF2, "2c 2d", modrm(kUse, kNo)},
    {Map::kVex2, k66,
     "00-0d 13 16 18-19 1c-1e 20-25 28-29 2b 30-41 45-47 50-53 58-59 78-79 96-9f a6-af b6-bf cf "
     "db-df",
     vector()},
    {Map::kVex2, k66, "1a 2a 2c-2f 5a 8c 8e", vector().is(kMemoryOnly)},
    {Map::kVex2, k66 | kF3 | kF2, "4b", vector().is(kMemoryOnly | kNeedsSib)},
    {Map::kVex2, kAny, "49", group(Map::kVex49)},
    {Map::kVex49, kNp | k66, "0", vector()},
    {Map::kVex49, kNp, "c0", vector()},
    {Map::kVex49, kF2, "c0 c8 d0 d8 e0 e8 f0 f8", vector()},
    {Map::kVex2, kAny, "5e", vector().is(kRegisterOnly)},
    {Map::kVex2, kF3 | kF2, "5c", vector().is(kRegisterOnly)},
    {Map::kVex2, kNp | k66, "6c", vector().is(kRegisterOnly)},
    {Map::kVex2, k66, "0e-0f 17", vector().kills(kAllFlags)},
    {Map::kVex2, k66, "90-93", vector().is(kMemoryOnly | kVectorIndex)},
    {Map::kVex2, kNp, "f2", modrm(kOver, kUse, kUse).kills(kAllFlags)},
    {Map::kVex2, kNp, "f3", group(Map::kVexF3)},
    {Map::kVexF3, kNp, "1-3 c8-df", modrm(kNo, kUse, kOver).kills(kAllFlags)},
    {Map::kVex2, kNp, "f5 f7", modrm(kOver, kUse, kUse).kills(kAllFlags)},
    {Map::kVex2, k66, "f7", modrm(kOver, kUse, kUse)},
    {Map::kVex2, kF3 | kF2, "f5 f7", modrm(kOver, kUse, kUse)},
    {Map::kVex2, kF2, "f6", modrm(kOver, kUse, kUse).uses(kRdx)},
    // Newer: AVX-VNNI-INT8 and -INT16, AVX-NE-CONVERT, AVX-IFMA, SM3, SM4, SHA512, CMPccXADD.
    {Map::kVex2, kNp | kF3 | kF2, "50 51", vector()},
    {Map::kVex2, kNp | k66 | kF3, "d2 d3", vector()},
    {Map::kVex2, kF3, "72", vector()},
    {Map::kVex2, kAny, "b0", vector().is(kMemoryOnly)},
    {Map::kVex2, k66 | kF3, "b1", vector().is(kMemoryOnly)},
    {Map::kVex2, k66, "b4 b5", vector()},
    {Map::kVex2, kAny, "da", vector()},
    {Map::kVex2, kF2, "cb-cd", vector().is(kRegisterOnly)},
    {Map::kVex2, k66, "e0-ef", modrm(kUse, kNo, kUse).kills(kAllFlags).is(kMemoryOnly)},
    {Map::kVex3, k66, "de", vector().takes(kU8)},
    {Map::kVex7, kF3 | kF2, "f8", group(Map::kVex7F8)},
    {Map::kVex7F8, kF3 | kF2, "c0-c7", modrm(kNo, kUse).takes(kU32)},  // urdmsr, uwrmsr
    {Map::kVex3, k66,
     "00-02 04-06 08-0f 18-19 1d 21 38-39 40-42 44 46 48-4c 5c-5f 68-6f 78-7f ce-cf df",
     vector().takes(kU8)},
    {Map::kVex3, k66, "30-33", vector().takes(kU8).is(kRegisterOnly)},
    {Map::kVex3, k66, "14-17", modrm(kNo, kOver).takes(kU8)},
    {Map::kVex3, k66, "20 22", modrm(kNo, kUse).takes(kU8)},
    {Map::kVex3, k66, "60", vector().takes(kU8).uses(kRax | kRdx).kills(kAllFlags)},
    {Map::kVex3, k66, "61", vector().takes(kU8).uses(kRax | kRcx | kRdx).kills(kAllFlags)},
    {Map::kVex3, k66, "62", vector().takes(kU8).kills(kAllFlags)},
    {Map::kVex3, k66, "63", vector().takes(kU8).uses(kRcx).kills(kAllFlags)},
    {Map::kVex3, kF2, "f0", modrm(kOver, kUse).takes(kU8)},
    // AMD's XOP, TBM and LWP.
    {Map::kXop8, kNot66, "85-87 8e-8f 95-97 9e-9f a2-a3 a6 b6 c0-c3 cc-cf ec-ef",
     vector().takes(kU8)},
    {Map::kXop9, kNot66, "80-83 90-9b c1-c3 c6-c7 cb d1-d3 d6-d7 db e1-e3", vector()},
    {Map::kXop9, kNot66, "01", group(Map::kXop901)},
    {Map::kXop9, kNot66, "02", group(Map::kXop902)},
    {Map::kXop9, kNot66, "12", group(Map::kXop912)},
    {Map::kXop901, kNot66, "1-7 c8-ff", modrm(kNo, kUse, kOver).kills(kAllFlags)},
    {Map::kXop902, kNot66, "1 6 c8-cf f0-f7", modrm(kNo, kUse, kOver).kills(kAllFlags)},
    {Map::kXop912, kNot66, "c0-cf", modrm(kNo, kUse)},
    {Map::kXop10, kNot66, "10", modrm(kOver, kUse).takes(kU32).kills(kAllFlags)},
    {Map::kXop10, kNot66, "12", group(Map::kXop1012)},
    {Map::kXop1012, kNot66, "0-1 c0-cf", modrm(kNo, kUse, kUse).takes(kU32)},
};

constexpr Line kEvexLines[] = {
    {Map::kEvex1, kNp, "10-12 14-16 28-29 51 54-5f 78-79", vector()},
    {Map::kEvex1, k66, "10-11 14-15 28-29 51 54-6d 6f 74-76 78-7b 7f d1-d6 d8-e6 e8-ef f1-f6 f8-fe",
     vector()},
    {Map::kEvex1, kF3, "10-12 16 51 58-5f 6f 7a 7e-7f e6", vector()},
    {Map::kEvex1, kF2, "10-12 51 58-5a 5c-5f 6f 7a 7f e6", vector()},
    {Map::kEvex1, kNp, "13 17 2b", vector().is(kMemoryOnly)},
    {Map::kEvex1, k66, "12-13 16-17 2b e7", vector().is(kMemoryOnly)},
    {Map::kEvex1, kAny, "c2", vector().takes(kU8)},
    {Map::kEvex1, kNp | k66, "c6", vector().takes(kU8)},
    {Map::kEvex1, k66, "71-73", vector().takes(kU8)},
    {Map::kEvex1, k66 | kF3 | kF2, "70", vector().takes(kU8)},
    {Map::kEvex1, kNp | k66, "2e 2f", vector().kills(kAllFlags)},
    {Map::kEvex1, k66, "6e", modrm(kNo, kUse)},
    {Map::kEvex1, k66, "7e", modrm(kNo, kOver)},
    {Map::kEvex1, k66, "c4", modrm(kNo, kUse).takes(kU8)},
    {Map::kEvex1, k66, "c5", modrm(kOver, kNo).takes(kU8).is(kRegisterOnly)},
    {Map::kEvex1, kF3 | kF2, "2a 7b", modrm(kNo, kUse)},
    {Map::kEvex1, kF3 | kF2, "2c 2d 78 79", modrm(kUse, kNo)},
    {Map::kEvex2, k66,
     "00 04 0b-0d 10-16 18-19 1c-29 2b-2d 30-40 42-47 4c-55 58-59 62-66 70-73 75-79 7d-7f 83 88-8b "
     "8d "
     "8f 96-9f a6-af b4-bf c4 c8 ca-cd cf dc-df",
     vector()},
    {Map::kEvex2, kF3, "10-15 20-27 30-35 52 72", vector()},
    {Map::kEvex2, kF2, "68 72", vector()},
    {Map::kEvex2, k66, "1a-1b 2a 5a-5b", vector().is(kMemoryOnly)},
    {Map::kEvex2, kF2, "52-53 9a-9b aa-ab", vector().is(kMemoryOnly)},
    {Map::kEvex2, kF3, "28-2a 38-3a", vector().is(kRegisterOnly)},
    {Map::kEvex2, k66, "7a-7c", modrm(kNo, kUse).is(kRegisterOnly)},
    {Map::kEvex2, k66, "90-93 a0-a3", vector().is(kMemoryOnly | kVectorIndex)},
    {Map::kEvex2, k66, "c6-c7", group(Map::kEvexC6)},
    {Map::kEvexC6, k66, "1-2 5-6", vector().is(kVectorIndex)},
    {Map::kEvex3, kNp, "08 0a 26-27 56-57 66-67 c2", vector().takes(kU8)},
    {Map::kEvex3, k66,
     "00-01 03-05 08-0b 0f 18-1b 1d-1f 21 23 25-27 38-3b 3e-3f 42-44 50-51 54-57 66-67 70-73 ce-cf",
     vector().takes(kU8)},
    {Map::kEvex3, kF3, "c2", vector().takes(kU8)},
    {Map::kEvex3, k66, "14-17", modrm(kNo, kOver).takes(kU8)},
    {Map::kEvex3, k66, "20 22", modrm(kNo, kUse).takes(kU8)},
    {Map::kEvex5, kNp, "1d 51 58-5f 78-79 7c-7d", vector()},
    {Map::kEvex5, k66, "1d 5a-5b 78-7d", vector()},
    {Map::kEvex5, kF3, "10-11 51 58-5f 7d", vector()},
    {Map::kEvex5, kF2, "5a 7a 7d", vector()},
    {Map::kEvex5, kNp, "2e 2f", vector().kills(kAllFlags)},
    {Map::kEvex5, k66, "6e", modrm(kNo, kUse)},
    {Map::kEvex5, k66, "7e", modrm(kNo, kOver)},
    {Map::kEvex5, kF3, "2a 7b", modrm(kNo, kUse)},
    {Map::kEvex5, kF3, "2c 2d 78 79", modrm(kUse, kNo)},
    {Map::kEvex6, kNp, "13", vector()},
    {Map::kEvex6, k66, "13 2c-2d 42-43 4c-4f 96-9f a6-af b6-bf", vector()},
    {Map::kEvex6, kF3 | kF2, "56-57 d6-d7", vector()},
};

consteval unsigned digit(char c) {
  return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
}

// Not constexpr: to call it is an error of compilation.
void an_opcode_has_two_rows() {}

constexpr std::uint8_t kFlagsOfCondition[8] = {kO, kC, kZ, kC | kZ, kS, kP, kS | kO, kS | kO | kZ};

struct Builder {
  InstructionTables tables{};
  std::uint16_t used = 0;

  consteval void set(const Line& line, unsigned opcode) {
    const auto map = static_cast<std::size_t>(line.map);
    for (std::size_t column = 0; column < kColumns; ++column) {
      if ((line.columns >> column & 1U) == 0) continue;
      std::uint16_t& entry =
          map < kFirstGroup
              ? tables.opcodes[map][column][opcode]
              : tables.groups[map - kFirstGroup][column][opcode < 8 ? opcode : opcode - 0xc0 + 8];
      if (entry != 0) an_opcode_has_two_rows();
      entry = used;
    }
  }

  // One row for all of the line's opcodes, or one for each if they name conditions.
  consteval void add(const Line& line, unsigned first, unsigned last) {
    for (unsigned opcode = first; opcode <= last; ++opcode) {
      if ((line.row.traits & kReadsCondition) != 0) {
        Form& form = tables.forms[++used];
        form = line.row;
        form.flags_read = kFlagsOfCondition[(opcode >> 1) & 7];
        form.condition = form.control == Control::kConditional ? opcode & 15 : 0;
      }
      set(line, opcode);
    }
  }

  template <std::size_t count>
  consteval void add(const Line (&lines)[count]) {
    for (const Line& line : lines) {
      tables.forms[++used] = line.row;
      unsigned first = 0;
      unsigned value = 0;
      bool range = false;
      for (const char* at = line.opcodes;; ++at) {
        if (*at == '-') {
          first = value;
          value = 0;
          range = true;
        } else if (*at == ' ' || *at == '\0') {
          add(line, range ? first : value, value);
          value = 0;
          range = false;
          if (*at == '\0') break;
        } else {
          value = value * 16 + digit(*at);
        }
      }
    }
  }
};

consteval InstructionTables build() {
  Builder builder;
  builder.tables.forms[0].group = Map::kEscape;
  builder.add(kOneByteLines);
  builder.add(kOneByteGroupLines);
  builder.add(k0fLines);
  builder.add(k0fGroupLines);
  builder.add(kThreeByteLines);
  builder.add(kVexLines);
  builder.add(kEvexLines);
  return builder.tables;
}

}  // namespace

constinit const InstructionTables instruction_tables = build();

}  // namespace bops::native
