// How long the engine's decoder takes: decode_speed [ELF file], all its code in order, again and
// again for about a second.
#include <chrono>
#include <iostream>

#include "collectors/exact/native/engine/instruction.hpp"
#include "tests/native/executable_code.hpp"

namespace {

using bops::native::decode_instruction;
using bops::native::Instruction;

struct Pass {
  std::uint64_t instructions = 0;
  std::uint64_t unknown = 0;
};

Pass decode_all(const std::vector<std::vector<std::uint8_t>>& sections) {
  Pass pass;
  Instruction instruction;
  for (const auto& section : sections) {
    std::size_t at = 0;
    while (at < section.size()) {
      const bool known = decode_instruction(section.data() + at, section.size() - at, instruction);
      ++pass.instructions;
      pass.unknown += known ? 0 : 1;
      at += known ? instruction.length : 1U;
    }
  }
  return pass;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string path = count > 1 ? arguments[1] : "/lib/x86_64-linux-gnu/libc.so.6";
  const auto sections = bops::native::executable_sections(path);
  if (sections.empty()) {
    std::cerr << "decode_speed: no code in " << path << '\n';
    return 1;
  }
  const Pass once = decode_all(sections);
  double best_ns = 0;
  std::uint64_t total = once.instructions;
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < std::chrono::seconds(1)) {
    const auto begin = std::chrono::steady_clock::now();
    total += decode_all(sections).instructions;
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    const double ns = took.count() / static_cast<double>(once.instructions);
    if (best_ns == 0 || ns < best_ns) best_ns = ns;
  }
  std::cout << path << ": " << once.instructions << " instructions, " << once.unknown
            << " unknown, " << best_ns << " ns each (best of " << total / once.instructions - 1
            << " passes)\n";
  return 0;
}
