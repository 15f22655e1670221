// Every register and flag under a 10 kHz timer: none changes, and the count is right to the digit,
// the handler's runs included.
#include <gtest/gtest.h>

#include <cstring>

#include "tests/harness/subprocess.hpp"
#include "tests/oracle/single_stepper.hpp"

namespace bops {
namespace {

constexpr std::uint64_t kRounds = 400'000;  // of freestanding/register_check.S, as what follows
constexpr std::uint64_t kFew = 20;

/// Instructions of one run of the handler: it overwrites each vector and mask register that there
/// is.
std::uint64_t handler_instructions() {
  const bool has_512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
  return 24 + (has_512 ? 32 + 8 : 16);
}

std::uint64_t stepped(const std::vector<std::string>& command) {
  const auto result = oracle::single_step(command, oracle::Follow::kFirstThread);
  EXPECT_TRUE(result && result->exit_code == 0);
  return result ? result->instructions : 0;
}

TEST(NativeEngine, changes_no_register_and_no_count_under_a_10_kHz_timer) {
  const std::uint64_t few = stepped({BOPS_REGISTER_CHECK, "x"});
  const std::uint64_t twice = stepped({BOPS_REGISTER_CHECK, "x", "x"});
  ASSERT_GT(twice, few);
  ASSERT_EQ((twice - few) % kFew, 0U);
  const std::uint64_t round = (twice - few) / kFew;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const auto counted =
        harness::count({BOPS_REGISTER_CHECK}, {"--collector", "native", "--strict"});
    ASSERT_EQ(counted.ended.code, 0) << "a register has changed, or " << counted.ended.errors;
    std::uint64_t handlers = 0;
    ASSERT_EQ(counted.ended.output.size(), sizeof handlers);
    std::memcpy(&handlers, counted.ended.output.data(), sizeof handlers);
    EXPECT_GT(handlers, 100U);
    EXPECT_EQ(counted.record.at("totals").at("instructions"),
              few + round * (kRounds - kFew) + handler_instructions() * handlers);
  }
}

}  // namespace
}  // namespace bops
