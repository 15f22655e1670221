// The machine code of the kernel functions, from the symbol table of a measured program.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bops::workloads {

struct KernelFunction {
  std::string symbol;  ///< mangled
  std::vector<std::uint8_t> code;
};

/// All functions of namespace bops::workloads::kernels in the ELF file (64-bit, little-endian).
[[nodiscard]] std::vector<KernelFunction> kernel_functions(const std::string& path);

}  // namespace bops::workloads
