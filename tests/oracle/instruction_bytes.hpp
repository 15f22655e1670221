// The little that the single-stepper must know about instructions; on purpose without a decoder.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bops::oracle {

/// The bytes at an instruction pointer: up to 15, fewer where the mapping ends before.
struct InstructionBytes {
  std::array<std::uint8_t, 15> storage{};
  std::size_t size = 0;
  [[nodiscard]] std::span<const std::uint8_t> view() const {
    return std::span(storage).first(size);
  }
};

/// Reads from the stopped thread `tid`; empty where nothing is readable.
[[nodiscard]] InstructionBytes read_instruction_bytes(pid_t tid, std::uint64_t rip);

/// A string instruction with a rep prefix: the processor traps after each of its iterations, with
/// the instruction pointer still on it (Intel SDM volume 3, 17.3.1.4).
[[nodiscard]] bool is_repeated_string_instruction(std::span<const std::uint8_t> bytes);

/// `syscall`, or the 32-bit `int 0x80`.
[[nodiscard]] bool is_system_call_instruction(std::span<const std::uint8_t> bytes);

}  // namespace bops::oracle
