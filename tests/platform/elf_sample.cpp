// A library with symbols of every kind, for the tests of the symbol reader.
#include <unistd.h>

extern "C" {
__attribute__((noinline)) int sample_global(int value) {
  return value * 3;
}
// One address, four names: global before weak before local, then the shortest.
int sample_global_alias(int value) __attribute__((alias("sample_global")));
int s_weak(int value) __attribute__((weak, alias("sample_global")));
__attribute__((used)) static int s_local(int value) __attribute__((alias("sample_global")));

int weak_only(int value) __attribute__((weak));
int weak_only(int value) {
  return value + 7;
}
__attribute__((used)) static int s_l(int value) __attribute__((alias("weak_only")));

static int chosen(int value) {
  return value + 1;
}
static int (*choose_at_start())(int) {
  return chosen;
}
int chosen_at_start(int value) __attribute__((ifunc("choose_at_start")));

int rust_legacy(int value) __asm__(
    "_ZN55_$LT$core..slice..Iter$LT$T$GT$$u20$as$u20$Iterator$GT$4next17h0123456789abcdefE");
int rust_legacy(int value) {
  return value - 2;
}

int calls_another_library() {
  return getppid();
}
}

namespace sample {
template <class T>
struct Box {
  T twice(T value) const;
};
template <class T>
T Box<T>::twice(T value) const {
  return 2 * value;
}
template struct Box<long>;
}  // namespace sample

// Sizes that an assembler was not told, a label inside a function, a function inside a function,
// and code that only a label names.
__asm__(R"(
  .section .text.assembly, "ax", @progbits
  .globl unsized, inner_label, label_alone, after_unsized
  .hidden unsized, inner_label, after_unsized
  .type unsized, @function
unsized:
  nop
  nop
  nop
  .type after_unsized, @function
after_unsized:
  nop
inner_label:
  nop
  .type nested, @function
nested:
  nop
  .size nested, . - nested
  ret
  .size after_unsized, . - after_unsized
label_alone:
  ret
  ret
  .text
)");
