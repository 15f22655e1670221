// All code of programs and libraries that are on this machine.
#include <gtest/gtest.h>

#include <array>
#include <iostream>

#include "tests/native/executable_code.hpp"
#include "tests/native/tally.hpp"

namespace bops::native {
namespace {

Tally sweep(const std::string& path) {
  Tally tally;
  for (const std::vector<std::uint8_t>& section : executable_sections(path)) {
    std::span<const std::uint8_t> rest(section);
    while (!rest.empty()) {
      const unsigned length = tally.add(rest);
      rest = rest.subspan(length == 0 ? 1 : length);
    }
  }
  return tally;
}

class Programs : public testing::TestWithParam<const char*> {};

TEST_P(Programs, code_agrees_with_zydis_and_is_exact_in_999_of_1000) {
  const Tally tally = sweep(GetParam());
  if (tally.compared() == 0) GTEST_SKIP() << "no " << GetParam() << " on this machine";
  tally.expect_agreement();
  EXPECT_LT(tally.inexact_flags(), tally.compared() / 1000);
  EXPECT_LT(tally.inexact_registers(), tally.compared() / 500);
  EXPECT_LT(tally.inexact_overwritten(), tally.compared() / 500);
  std::cout << GetParam() << ": " << tally.summary() << '\n';
}

INSTANTIATE_TEST_SUITE_P(Installed, Programs,
                         testing::Values("/lib/x86_64-linux-gnu/libc.so.6",
                                         "/lib/x86_64-linux-gnu/libm.so.6",
                                         "/lib64/ld-linux-x86-64.so.2",
                                         "/lib/x86_64-linux-gnu/libstdc++.so.6",
                                         "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
                                         "/usr/bin/python3", "/usr/bin/bash", "/usr/bin/perl"));

TEST(OwnProgram, code_of_this_test_agrees_with_zydis) {
  const Tally tally = sweep("/proc/self/exe");
  tally.expect_agreement();
  EXPECT_GT(tally.same(), 10'000U);
}

}  // namespace
}  // namespace bops::native
