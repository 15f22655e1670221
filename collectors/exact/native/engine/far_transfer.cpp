#include "collectors/exact/native/engine/far_transfer.hpp"

#include "collectors/exact/native/engine/engine.hpp"
#include "collectors/exact/native/engine/instruction.hpp"
#include "collectors/exact/native/engine/thread.hpp"

namespace bops::native {
namespace {

constexpr Word kUserCode = 0x33, kUserStack = 0x2b;
constexpr int kArchPrctl = 158;
constexpr Word kGetFs = 0x1003;
/// What user mode may change of RFLAGS.
constexpr Word kUserFlags = 0x244dd5;

/// Bytes that the instruction's operand has: 2, 4 or 8.
unsigned operand_size(const std::uint8_t* code, const Instruction& decoded) {
  if ((decoded.rex & 8) != 0) return 8;
  for (unsigned i = 0; i < decoded.prefix_size; ++i)
    if (code[i] == 0x66) return 2;
  return 4;
}

/// Pops a value of `size` bytes from a copy of the stack pointer.
bool pop(Word& rsp, unsigned size, Word& value) {
  value = 0;
  if (!copy_guest(&value, reinterpret_cast<const void*>(rsp), size)) return false;
  rsp += size;
  return true;
}

Word effective_address(const Area* area, const std::uint8_t* code, const Instruction& decoded,
                       Word next) {
  const Word* const registers = area->registers;
  const unsigned modrm = code[decoded.modrm_offset];
  const unsigned mode = modrm >> 6, rm = modrm & 7;
  const unsigned base_extension = (decoded.rex & 1U) << 3, index_extension = (decoded.rex & 2U)
                                                                             << 2;
  Word address = static_cast<Word>(std::int64_t{decoded.displacement});
  if (decoded.rip_relative) {
    address += next;
  } else if (rm == 4) {
    const unsigned sib = code[decoded.modrm_offset + 1];
    const unsigned index = (sib >> 3 & 7) | index_extension;
    if (index != kRsp) address += registers[index] << (sib >> 6);
    if ((sib & 7) != 5 || mode != 0) address += registers[(sib & 7) | base_extension];
  } else {
    address += registers[rm | base_extension];
  }
  if (decoded.address_size_32) address &= 0xffffffff;
  if (decoded.fs_segment) {
    Word base = 0;
    kernel_call(kArchPrctl, kGetFs, word(&base));
    address += base;
  }
  return address;
}

bool return_from_interrupt(Area* area, unsigned size, Word& target) {
  Word rsp = area->registers[kRsp], code_segment = 0, flags = 0, new_rsp = 0, stack_segment = 0;
  if (!pop(rsp, size, target) || !pop(rsp, size, code_segment) || !pop(rsp, size, flags) ||
      !pop(rsp, size, new_rsp) || !pop(rsp, size, stack_segment))
    return false;
  if ((code_segment & 0xffff) != kUserCode || (stack_segment & 0xffff) != kUserStack) return false;
  area->registers[kRsp] = new_rsp;
  area->registers[kFlags] = (area->registers[kFlags] & ~kUserFlags) | (flags & kUserFlags);
  return true;
}

}  // namespace

bool carry_out_far_transfer(Area* area, Word pc, Word& target) {
  const auto* const code = reinterpret_cast<const std::uint8_t*>(pc);
  Instruction decoded;
  if (!decode_instruction(code, BOPS_PROFILE_MAX_INSTRUCTION_SIZE, decoded)) return false;
  const unsigned size = operand_size(code, decoded);
  const unsigned opcode = code[decoded.prefix_size];
  constexpr unsigned kReturn = 0xcb, kReturnAndPop = 0xca, kInterruptReturn = 0xcf, kGroup = 0xff;
  Word& rsp = area->registers[kRsp];
  Word code_segment = 0;
  if (opcode == kInterruptReturn) return return_from_interrupt(area, size, target);
  if (opcode == kReturn || opcode == kReturnAndPop) {
    Word after = rsp;
    if (!pop(after, size, target) || !pop(after, size, code_segment)) return false;
    if ((code_segment & 0xffff) != kUserCode) return false;
    rsp = after + (opcode == kReturnAndPop ? static_cast<std::uint16_t>(decoded.immediate) : 0);
    return true;
  }
  if (opcode != kGroup) return false;
  const Word next = pc + decoded.length;
  Word pointer = effective_address(area, code, decoded, next);
  if (!pop(pointer, size, target) || !pop(pointer, 2, code_segment)) return false;
  if (code_segment != kUserCode) return false;
  constexpr unsigned kFarCall = 3;
  if ((code[decoded.modrm_offset] >> 3 & 7) == kFarCall) {
    Word frame[2] = {next, kUserCode};
    if (size == 8) {
      if (!copy_guest(reinterpret_cast<void*>(rsp - sizeof frame), frame, sizeof frame))
        return false;
    } else {
      const std::uint32_t narrow[2] = {static_cast<std::uint32_t>(next), kUserCode};
      if (size != 4 ||
          !copy_guest(reinterpret_cast<void*>(rsp - sizeof narrow), narrow, sizeof narrow))
        return false;
    }
    rsp -= Word{2} * size;
  }
  return true;
}

bool carry_out_interrupt(Area* area) {
  Word* const registers = area->registers;
  const auto number = static_cast<std::uint32_t>(registers[kRax]);
  constexpr std::uint32_t kExit = 1, kExitGroup = 252;
  if (number == kExit) exit_thread(area, registers[kRbx]);
  if (number == kExitGroup) exit_process(area, registers[kRbx]);
  // fork, execve, brk, sigaction, mmap, munmap, clone, mprotect, mremap, sigreturn and their kin
  constexpr std::uint32_t kUnsafe[] = {2,   11,  45,  48,  67,  90,  91,  119, 120, 125,
                                       126, 163, 173, 174, 175, 186, 190, 192, 358, 435};
  for (const std::uint32_t unsafe : kUnsafe)
    if (number == unsafe) return false;
  std::int64_t result = 0;
  __asm__ volatile(
      "push %%rbp\n\t"
      "mov %[bp], %%rbp\n\t"
      "int $0x80\n\t"
      "pop %%rbp"
      : "=a"(result)
      : "a"(registers[kRax]), "b"(registers[kRbx]), "c"(registers[kRcx]), "d"(registers[kRdx]),
        "S"(registers[kRsi]), "D"(registers[kRdi]), [bp] "r"(registers[kRbp])
      : "memory", "r8", "r9", "r10", "r11");
  registers[kRax] = static_cast<Word>(result);
  return true;
}

}  // namespace bops::native
