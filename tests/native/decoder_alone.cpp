// The decoder in a program without libc and without relocations applied, as in the engine: exits
// with 0 if it decodes a few instructions rightly, else with the number of the one it does not.
#include "collectors/exact/native/engine/instruction.hpp"

namespace {

struct Sample {
  unsigned char bytes[16];
  unsigned char length;
  bops::native::Control control;
};

using bops::native::Control;

constexpr Sample kSamples[] = {
    {{0x90}, 1, Control::kNone},
    {{0x48, 0x8b, 0x05, 1, 2, 3, 4}, 7, Control::kNone},
    {{0x0f, 0x84, 1, 2, 3, 4}, 6, Control::kConditional},
    {{0xe8, 1, 2, 3, 4}, 5, Control::kCall},
    {{0x41, 0xff, 0xe3}, 3, Control::kIndirectJump},
    {{0xf3, 0xc3}, 2, Control::kReturn},
    {{0x0f, 0x05}, 2, Control::kSystemCall},
    {{0x62, 0xf1, 0x74, 0x48, 0x58, 0x40, 1}, 7, Control::kNone},
    {{0xc4, 0xe3, 0x71, 0x0f, 0xc2, 7}, 6, Control::kNone},
    {{0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}, 10, Control::kNone},
    {{0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0}, 9, Control::kNone},
};

[[noreturn]] void exit_with(long status) {
  asm volatile("syscall" : : "a"(231L), "D"(status) : "rcx", "r11", "memory");
  __builtin_unreachable();
}

}  // namespace

extern "C" [[noreturn]] void _start() {
  long number = 0;
  for (const Sample& sample : kSamples) {
    ++number;
    bops::native::Instruction instruction;
    if (!bops::native::decode_instruction(sample.bytes, sizeof sample.bytes, instruction) ||
        instruction.length != sample.length || instruction.control != sample.control) {
      exit_with(number);
    }
  }
  exit_with(0);
}
