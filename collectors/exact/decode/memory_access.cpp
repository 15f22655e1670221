#include "collectors/exact/decode/memory_access.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace bops::exact {
namespace {

// What counting.md decides against, or more exactly than, the actions that Zydis gives.
enum class Access : std::uint8_t {
  kAsDecoded,
  kNone,  // a memory operand that is not read, or not the program's
  kLoad,
  kStore,
  kLoadStore,
  kLoadStoreIfMemory,  // the register form accesses nothing
};

constexpr Access exception_to_operands(ZydisMnemonic mnemonic) {
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_LEA:
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_CLFLUSH:
    case ZYDIS_MNEMONIC_CLFLUSHOPT:
    case ZYDIS_MNEMONIC_CLWB:
    case ZYDIS_MNEMONIC_CLDEMOTE:
    case ZYDIS_MNEMONIC_INVLPG:
    case ZYDIS_MNEMONIC_INVLPGA:
    case ZYDIS_MNEMONIC_INVLPGB:
    case ZYDIS_MNEMONIC_MONITOR:
    case ZYDIS_MNEMONIC_MONITORX:
    case ZYDIS_MNEMONIC_UMONITOR:
    case ZYDIS_MNEMONIC_MWAIT:
    case ZYDIS_MNEMONIC_MWAITX:
    case ZYDIS_MNEMONIC_UMWAIT:
    case ZYDIS_MNEMONIC_INT:
    case ZYDIS_MNEMONIC_INT1:
    case ZYDIS_MNEMONIC_INT3:
    case ZYDIS_MNEMONIC_SYSCALL:
    case ZYDIS_MNEMONIC_SYSENTER:
    case ZYDIS_MNEMONIC_SYSRET:
    case ZYDIS_MNEMONIC_SYSEXIT:
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1: return Access::kNone;
    case ZYDIS_MNEMONIC_PREFETCH:
    case ZYDIS_MNEMONIC_PREFETCHNTA:
    case ZYDIS_MNEMONIC_PREFETCHT0:
    case ZYDIS_MNEMONIC_PREFETCHT1:
    case ZYDIS_MNEMONIC_PREFETCHT2:
    case ZYDIS_MNEMONIC_VGATHERPF0DPD:
    case ZYDIS_MNEMONIC_VGATHERPF0DPS:
    case ZYDIS_MNEMONIC_VGATHERPF0QPD:
    case ZYDIS_MNEMONIC_VGATHERPF0QPS:
    case ZYDIS_MNEMONIC_VGATHERPF1DPD:
    case ZYDIS_MNEMONIC_VGATHERPF1DPS:
    case ZYDIS_MNEMONIC_VGATHERPF1QPD:
    case ZYDIS_MNEMONIC_VGATHERPF1QPS:
    case ZYDIS_MNEMONIC_LEAVE:
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
    case ZYDIS_MNEMONIC_UIRET:
    case ZYDIS_MNEMONIC_XLAT:
    case ZYDIS_MNEMONIC_FRSTOR:
    case ZYDIS_MNEMONIC_FLDENV:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_XRSTOR:
    case ZYDIS_MNEMONIC_XRSTOR64:
    case ZYDIS_MNEMONIC_XRSTORS:
    case ZYDIS_MNEMONIC_XRSTORS64: return Access::kLoad;
    case ZYDIS_MNEMONIC_CLZERO:
    case ZYDIS_MNEMONIC_MASKMOVQ:
    case ZYDIS_MNEMONIC_MASKMOVDQU:
    case ZYDIS_MNEMONIC_VMASKMOVDQU:
    case ZYDIS_MNEMONIC_MOVDIRI:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_XSAVE:
    case ZYDIS_MNEMONIC_XSAVE64:
    case ZYDIS_MNEMONIC_XSAVEC:
    case ZYDIS_MNEMONIC_XSAVEC64:
    case ZYDIS_MNEMONIC_XSAVEOPT:
    case ZYDIS_MNEMONIC_XSAVEOPT64:
    case ZYDIS_MNEMONIC_XSAVES:
    case ZYDIS_MNEMONIC_XSAVES64: return Access::kStore;
    case ZYDIS_MNEMONIC_ENTER:
    case ZYDIS_MNEMONIC_PREFETCHW:
    case ZYDIS_MNEMONIC_PREFETCHWT1:
    case ZYDIS_MNEMONIC_VSCATTERPF0DPD:
    case ZYDIS_MNEMONIC_VSCATTERPF0DPS:
    case ZYDIS_MNEMONIC_VSCATTERPF0QPD:
    case ZYDIS_MNEMONIC_VSCATTERPF0QPS:
    case ZYDIS_MNEMONIC_VSCATTERPF1DPD:
    case ZYDIS_MNEMONIC_VSCATTERPF1DPS:
    case ZYDIS_MNEMONIC_VSCATTERPF1QPD:
    case ZYDIS_MNEMONIC_VSCATTERPF1QPS:
    case ZYDIS_MNEMONIC_MOVDIR64B:
    case ZYDIS_MNEMONIC_ENQCMD:
    case ZYDIS_MNEMONIC_ENQCMDS: return Access::kLoadStore;
    case ZYDIS_MNEMONIC_CMPXCHG:
    case ZYDIS_MNEMONIC_CMPXCHG8B:
    case ZYDIS_MNEMONIC_CMPXCHG16B: return Access::kLoadStoreIfMemory;
    default: return Access::kAsDecoded;
  }
}

bool is_memory(const ZydisDecodedOperand& operand) {
  return operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.type != ZYDIS_MEMOP_TYPE_AGEN &&
         operand.mem.type != ZYDIS_MEMOP_TYPE_MIB;
}

}  // namespace

MemoryAccess memory_access(ZydisMnemonic mnemonic, std::span<const ZydisDecodedOperand> operands) {
  switch (exception_to_operands(mnemonic)) {
    case Access::kNone: return {};
    case Access::kLoad: return {.load = true, .store = false};
    case Access::kStore: return {.load = false, .store = true};
    case Access::kLoadStore: return {.load = true, .store = true};
    case Access::kLoadStoreIfMemory: {
      const bool memory = std::ranges::any_of(operands, is_memory);
      return {.load = memory, .store = memory};
    }
    case Access::kAsDecoded: break;
  }
  MemoryAccess access;
  for (const ZydisDecodedOperand& operand : operands) {
    if (!is_memory(operand)) continue;
    access.load |= (operand.actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
    access.store |= (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
  }
  return access;
}

unsigned indexed_operands(ZydisMnemonic mnemonic, std::span<const ZydisDecodedOperand> operands) {
  if (mnemonic == ZYDIS_MNEMONIC_LEA || mnemonic == ZYDIS_MNEMONIC_NOP) return 0;
  return static_cast<unsigned>(std::ranges::count_if(operands, [](const ZydisDecodedOperand& o) {
    return o.type == ZYDIS_OPERAND_TYPE_MEMORY &&
           o.visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT && o.mem.index != ZYDIS_REGISTER_NONE;
  }));
}

}  // namespace bops::exact
