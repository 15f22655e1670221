// One x86-64 instruction of 64-bit user mode: how long it is, where it goes, which general
// registers and flags it touches. Runs inside the target: no libc, no allocation, no state.
//
// ## Decoding
//
// `instruction_tables.cpp` holds one row per opcode and form: which operands are general
// registers, what the immediate is, which flags are read and killed. `instruction.cpp` reads
// prefixes, finds the row (a group opcode's row leads on to the row of its ModRM byte), and works
// out what depends on prefixes and operands. The rows follow the Intel and AMD manuals; the tests
// hold all of it against Zydis, opcode by opcode and over whole libraries, and registers and flags
// against the CPU.
//
// What is accepted: every instruction form of 64-bit mode, privileged ones too, that Intel or AMD
// defined, with four exceptions. Near branches with a 66 prefix and no REX.W: Intel ignores the
// prefix, AMD cuts the instruction pointer to 16 bits. Knights Corner's scalar VEX instructions and
// MVEX: no 64-bit Linux runs on it as a host. APX (REX2, extended EVEX). AVX10.2's new opcodes.
// An opcode with a reserved vector length, W, vvvv, mask or broadcast, or a LOCK where none is
// allowed, is accepted although the CPU raises #UD: a copy of it does the same.
//
// The directions in which an answer may be wrong: `registers` and `flags_read` may hold too much,
// `flags_killed` too little, `overwritten` may be -1 where there is such a register. Never the
// other way round.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bops::native {

enum class Control : std::uint8_t {
  kNone,          ///< falls through (int3, int1 and all that merely may fault, too)
  kConditional,   ///< jcc rel8, rel32
  kLoop,          ///< loop, loope, loopne, jecxz, jrcxz
  kJump,          ///< direct, near
  kCall,          ///< direct, near
  kIndirectJump,  ///< near, through a register or memory
  kIndirectCall,  ///< near, through a register or memory
  kReturn,        ///< near, with or without a 16-bit immediate
  kSystemCall,    ///< syscall
  kInterrupt,     ///< int n, sysenter
  kFar,           ///< far jmp, call, ret; iret; uiret
  kTransaction,   ///< xbegin
  kGsBase,  ///< rdgsbase, wrgsbase, swapgs; mov gs, pop gs, lgs, which change the base as well
  kTrap,    ///< ud0, ud1, ud2, hlt, privileged: always faults, nothing after it runs
};

/// Bits of the flag sets below. The direction flag is left out: nobody but cld, std and popf writes
/// it.
enum Flag : std::uint8_t {
  kCarryFlag = 1,
  kParityFlag = 2,
  kAdjustFlag = 4,
  kZeroFlag = 8,
  kSignFlag = 16,
  kOverflowFlag = 32,
  kAllFlags = 63,
};

struct Instruction {
  std::uint8_t length;  ///< bytes, 1 ... 15
  Control control;
  std::uint8_t modrm_offset;  ///< of the ModRM byte; 0: there is none
  /// Of a memory operand's displacement: 0, 1 or 4 bytes; 8, or 4 with a 67 prefix, in mov with an
  /// absolute address. The offset is meaningless if the size is 0.
  std::uint8_t displacement_offset;
  std::uint8_t displacement_size;
  /// Of the immediate, or a branch's displacement: 0, 1, 2, 4 or 8 bytes; 3, two immediates, in
  /// enter; 2 in extrq and insertq. The offset is meaningless if the size is 0.
  std::uint8_t immediate_offset;
  std::uint8_t immediate_size;
  std::uint8_t rex;          ///< the effective REX of a legacy instruction, else 0
  std::uint8_t prefix_size;  ///< bytes before the opcode, VEX, EVEX or XOP prefix
  std::uint8_t condition;    ///< of a jcc: the opcode's low four bits
  bool rip_relative;         ///< mod 0, rm 5
  bool fs_segment;           ///< a memory access goes through FS
  bool gs_segment;           ///< a memory access goes through GS
  bool address_size_32;      ///< 67 prefix, with a memory operand or in loop and jecxz
  bool repeated;             ///< string instruction with a rep prefix
  bool locked;               ///< LOCK prefix
  /// A general register (never RSP) that it overwrites as a whole, does not read in any way, while
  /// it neither accesses memory nor divides: its value just before is dead. -1: none.
  std::int8_t overwritten;
  std::uint16_t registers;    ///< general registers it may read or write, bit i for register i
  std::uint8_t flags_read;    ///< of `Flag`; syscall, call, ret and the like: 0
  std::uint8_t flags_killed;  ///< overwritten, or undefined afterwards, whatever the operands
  /// Sign-extended where the instruction does so; a branch's displacement; the address in mov with
  /// an absolute address (immediate_size is 0 there).
  std::int64_t immediate;
  std::int32_t displacement;  ///< as encoded: EVEX's compressed one is not scaled
};

/// Decodes the instruction at `code`, of which `available` bytes may be read (15 suffice; 40 or
/// more save a copy). False: no instruction of 64-bit mode that we know, or cut off; `instruction`
/// is then unspecified.
[[nodiscard]] bool decode_instruction(const std::uint8_t* code, std::size_t available,
                                      Instruction& instruction);

}  // namespace bops::native
