// The engine's decoder reads whatever the target executes, at the end of a mapping too.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "collectors/exact/native/engine/instruction.hpp"

namespace {

using bops::native::decode_instruction;
using bops::native::Instruction;

void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

bool same(const Instruction& a, const Instruction& b) {
  return a.length == b.length && a.control == b.control && a.registers == b.registers &&
         a.flags_read == b.flags_read && a.flags_killed == b.flags_killed &&
         a.overwritten == b.overwritten && a.immediate == b.immediate &&
         a.displacement == b.displacement && a.modrm_offset == b.modrm_offset;
}

void check(const std::uint8_t* data, std::size_t size, const Instruction& instruction) {
  const unsigned length = instruction.length;
  require(length >= 1 && length <= 15, "an instruction has 1 to 15 bytes");
  require(length <= size, "an instruction lies within the bytes given");
  require(instruction.prefix_size < length, "prefixes alone are no instruction");
  require(instruction.displacement_size == 0 ||
              instruction.displacement_offset + instruction.displacement_size <= instruction.length,
          "the displacement lies within the instruction");
  require(instruction.immediate_size == 0 ||
              instruction.immediate_offset + instruction.immediate_size <= instruction.length,
          "the immediate lies within the instruction");
  require(instruction.overwritten == -1 ||
              (instruction.overwritten != 4 &&
               (instruction.registers >> instruction.overwritten & 1) != 0),
          "a register that is overwritten is one of the registers, and not RSP");
  // A copy of the exact size, so that the address sanitizer sees a read beyond it.
  const std::vector<std::uint8_t> exact(data, data + length);
  Instruction again{};
  require(decode_instruction(exact.data(), exact.size(), again), "its own bytes suffice");
  require(same(instruction, again), "what follows does not change the answer");
  require(!decode_instruction(exact.data(), length - 1U, again), "one byte less is cut off");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  while (size != 0) {
    Instruction instruction{};
    const bool known = decode_instruction(data, size, instruction);
    if (known) check(data, size, instruction);
    const std::size_t length = known ? instruction.length : 1;
    data += length;
    size -= length;
  }
  return 0;
}
