// The 8 % of the reference build rests on this: one instruction is one operation.
#include <gtest/gtest.h>

#include "tests/workloads/folded_operand.hpp"
#include "tests/workloads/kernel_functions.hpp"
#include "tests/workloads/program_run.hpp"

namespace bops::workloads {
namespace {

std::size_t folded_in_build(const std::string& build) {
  std::size_t folded = 0;
  for (const KernelFunction& function : kernel_functions(program_path(build)))
    folded += folded_operands(function.code).size();
  return folded;
}

TEST(ReferenceBuild, no_arithmetic_instruction_has_a_memory_operand) {
  if (program_path("gcc-reference").empty()) GTEST_SKIP() << "needs g++";
  const std::vector<KernelFunction> functions = kernel_functions(program_path("gcc-reference"));
  // Stream alone has four functions; a kernel that was inlined away would not be guarded.
  EXPECT_GE(functions.size(), 16U);
  for (const KernelFunction& function : functions) {
    EXPECT_GT(function.code.size(), 8U) << function.symbol;
    for (const std::string& instruction : folded_operands(function.code))
      ADD_FAILURE() << function.symbol << " has: " << instruction;
  }
}

TEST(ReferenceBuild, the_guard_sees_the_folded_operands_of_an_ordinary_build) {
  if (program_path("gcc-O2").empty()) GTEST_SKIP() << "needs g++";
  EXPECT_GT(folded_in_build("gcc-O2"), 10U);
}

TEST(ReferenceBuild, the_guard_tells_moves_from_arithmetic) {
  const std::vector<std::uint8_t> load = {0x8b, 0x07};                   // mov eax, [rdi]
  const std::vector<std::uint8_t> lea = {0x48, 0x8d, 0x47, 0x04};        // lea rax, [rdi+4]
  const std::vector<std::uint8_t> compare = {0x3b, 0x07};                // cmp eax, [rdi]
  const std::vector<std::uint8_t> multiply = {0xf2, 0x0f, 0x59, 0x07};   // mulsd xmm0, [rdi]
  const std::vector<std::uint8_t> increment = {0x83, 0x07, 0x01, 0xc3};  // add [rdi], 1; ret
  EXPECT_EQ(folded_operands(load).size(), 0U);
  EXPECT_EQ(folded_operands(lea).size(), 0U);
  EXPECT_EQ(folded_operands(compare).size(), 1U);
  EXPECT_EQ(folded_operands(multiply).size(), 1U);
  EXPECT_EQ(folded_operands(increment).size(), 1U);
}

}  // namespace
}  // namespace bops::workloads
