// Whether an instruction loads or stores, from its decoded operands and the exceptions to them.
#pragma once

#include <Zydis/Zydis.h>

#include <span>

namespace bops::exact {

struct MemoryAccess {
  bool load = false;
  bool store = false;
};

/// `operands`: all of them, hidden ones included. Memory that the instruction accesses by saving an
/// interrupt frame on a stack of the kernel's choice (int, syscall) is not the program's.
[[nodiscard]] MemoryAccess memory_access(ZydisMnemonic mnemonic,
                                         std::span<const ZydisDecodedOperand> operands);

/// Explicit memory operands with an index register, a vector of indices included: the subscripts
/// that x86 folds into the operand. 0 for lea (counted as such) and nop (no address is formed).
[[nodiscard]] unsigned indexed_operands(ZydisMnemonic mnemonic,
                                        std::span<const ZydisDecodedOperand> operands);

}  // namespace bops::exact
