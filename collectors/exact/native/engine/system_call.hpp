/// Raw system calls: the engine shares no libc, no errno and no thread-local storage with the
/// target.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_SYSTEM_CALL_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_SYSTEM_CALL_HPP

#include <cstdint>

namespace bops::native {

using Word = std::uint64_t;

/// What the kernel returns: a value, or -errno.
inline std::int64_t kernel_call(std::int64_t number, Word a = 0, Word b = 0, Word c = 0, Word d = 0,
                                Word e = 0, Word f = 0) {
  std::int64_t result = 0;
  register Word r10 __asm__("r10") = d;
  register Word r8 __asm__("r8") = e;
  register Word r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

template <class T>
Word word(T* pointer) {
  return reinterpret_cast<Word>(pointer);
}

inline bool failed(std::int64_t result) {
  return result < 0 && result >= -4095;
}

}  // namespace bops::native

#endif
