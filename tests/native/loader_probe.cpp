/// In the translator's place: jumps into the loaded program and lets it run natively, so that what
/// the program sees of its loading can be held against a native run.
#include <cstring>

#include "collectors/exact/native/engine/code_cache.hpp"
#include "collectors/exact/native/engine/loader.hpp"

namespace bops::native {

bool copy_guest(void* to, const void* from, std::size_t size) {
  std::memcpy(to, from, size);
  return true;
}

void invalidate(Word /*start*/, Word /*end*/) {}

/// As the kernel starts a program: all registers 0 but the stack pointer.
[[noreturn]] void run_guest(const Start& start) {
  __asm__ volatile(
      "mov %0, %%rsp\n\t"
      "push %1\n\t"
      "xor %%eax, %%eax\n\txor %%ebx, %%ebx\n\txor %%ecx, %%ecx\n\txor %%edx, %%edx\n\t"
      "xor %%esi, %%esi\n\txor %%edi, %%edi\n\txor %%ebp, %%ebp\n\txor %%r8d, %%r8d\n\t"
      "xor %%r9d, %%r9d\n\txor %%r10d, %%r10d\n\txor %%r11d, %%r11d\n\txor %%r12d, %%r12d\n\t"
      "xor %%r13d, %%r13d\n\txor %%r14d, %%r14d\n\txor %%r15d, %%r15d\n\t"
      "ret"
      :
      : "r"(start.rsp), "r"(start.pc)
      : "memory");
  __builtin_unreachable();
}

}  // namespace bops::native
