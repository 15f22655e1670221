// Executes one instruction on the CPU of this machine.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace bops::native {

/// General registers by number (RSP is left alone) and the flags register.
struct CpuState {
  std::array<std::uint64_t, 16> registers{};
  std::uint64_t flags = 0;

  bool operator==(const CpuState&) const = default;
};

/// Whether the CPU can do what `execute` needs (XSAVE).
[[nodiscard]] bool can_execute();

/// The state after the instruction, which must not touch RSP, memory, or what threads and the
/// kernel rely on. Vector, mask and x87 registers are the same before each call. None: it faulted.
[[nodiscard]] std::optional<CpuState> execute(std::span<const std::uint8_t> instruction,
                                              const CpuState& before);

}  // namespace bops::native
