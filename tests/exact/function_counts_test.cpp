// Blocks of a profile divided between the functions of the file that they lie in.
#include "collectors/exact/function_counts.hpp"

#include <gtest/gtest.h>

#include <map>

#include "collectors/exact/block_counts.hpp"
#include "platform/files.hpp"

namespace bops::exact {
namespace {

// falls_through, then fallen_into, as freestanding/functions.c has them:
// lea rax, [rdi + 1]; xor rax, rdi; imul rax, rax, 3; ret
const std::vector<std::uint8_t> kLengths = {4, 3, 4, 1};
const std::vector<std::uint8_t> kBytes = {0x48, 0x8d, 0x47, 0x01, 0x48, 0x31,
                                          0xf8, 0x48, 0x6b, 0xc0, 0x03, 0xc3};
const std::string kProgram = BOPS_FUNCTIONS_PROGRAM;
constexpr std::uint64_t kStart = 0x7f0000000000;

/// A profile in which that block ran: of a thread, in a mapping of the whole program.
BlockProfile profile_of(std::vector<BlockProfile::Execution> executions,
                        std::vector<BlockProfile::Partial> partials = {}) {
  const auto file = read_file_whole(kProgram);
  const std::string code(kBytes.begin(), kBytes.end());
  EXPECT_NE(file->find(code), std::string::npos);
  BlockProfile profile;
  profile.processes = {{0, 10, 1, 0, 0, kProgram}};
  profile.threads = {{0, 0, 10, 0, 0, "t"}};
  profile.mappings = {{0, kStart, kStart + file->size(), 0, 0, 0, kProgram}};
  profile.blocks = {{0, kStart + file->find(code), 0, false, kLengths, kBytes}};
  profile.executions = std::move(executions);
  profile.partials = std::move(partials);
  return profile;
}

std::vector<FunctionCounts> functions_of(const BlockProfile& profile) {
  return BlockCounter("t").count_with_functions(profile).functions;
}

/// "image basename: function" -> instructions.
std::map<std::string, std::uint64_t> instructions(const BlockProfile& profile) {
  std::map<std::string, std::uint64_t> found;
  Counts sum = Counts::exact_zero();
  for (const FunctionCounts& function : functions_of(profile)) {
    found[function.image.substr(function.image.rfind('/') + 1) + ": " + function.name] =
        function.counts.instructions.total;
    sum += function.counts;
  }
  EXPECT_EQ(sum, BlockCounter("t").count(profile).totals());
  return found;
}

using Found = std::map<std::string, std::uint64_t>;

TEST(FunctionCounts, divide_a_block_that_runs_into_the_next_function) {
  const auto functions = functions_of(profile_of({{0, 0, 5}}));
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions[0].name, "fallen_into");
  EXPECT_EQ(functions[0].image, kProgram);
  EXPECT_EQ(functions[0].counts.instructions, (InstructionCounts{10, 5, 0, 5}));
  EXPECT_EQ(functions[0].counts.operations, (Operations{5, 0, 0}));
  EXPECT_EQ(functions[1].name, "falls_through");
  EXPECT_EQ(functions[1].counts.instructions, (InstructionCounts{10, 0, 0, 0}));
  EXPECT_EQ(functions[1].counts.operations, (Operations{5, 0, 5}));
}

TEST(FunctionCounts, give_a_block_left_midway_to_those_functions_that_it_reached) {
  EXPECT_EQ(instructions(profile_of({{0, 0, 5}}, {{0, 0, 1, 2}, {0, 0, 3, 1}})),
            (Found{{"functions-gcc-O1: falls_through", 5 + 3},
                   {"functions-gcc-O1: fallen_into", 3 + 2}}));
  EXPECT_EQ(instructions(profile_of({{0, 0, 5}}, {{0, 0, 2, 5}})),
            (Found{{"functions-gcc-O1: falls_through", 10}}))
      << "what was never reached has no row";
}

TEST(FunctionCounts, leave_code_unnamed_that_the_file_no_longer_holds) {
  BlockProfile profile = profile_of({{0, 0, 5}});
  std::vector<std::uint8_t> changed = kBytes;
  changed[6] = 0xf0;  // xor rax, rsi
  profile.blocks[0].bytes = changed;
  EXPECT_EQ(instructions(profile), (Found{{"functions-gcc-O1: [unknown]", 20}}));
}

TEST(FunctionCounts, leave_code_unnamed_that_lies_in_no_readable_file) {
  for (const auto& [path, expected] :
       {std::pair{"", "[anonymous]: [unknown]"}, std::pair{"[vdso]", "[vdso]: [unknown]"},
        std::pair{"/absent/file", "file: [unknown]"}, std::pair{"/dev/null", "null: [unknown]"}}) {
    BlockProfile profile = profile_of({{0, 0, 5}});
    profile.mappings[0].path = path;
    EXPECT_EQ(instructions(profile), (Found{{expected, 20}}));
  }
  BlockProfile profile = profile_of({{0, 0, 5}});
  profile.blocks[0].mapping = BOPS_PROFILE_NONE;
  EXPECT_EQ(instructions(profile), (Found{{"[unknown]: [unknown]", 20}}));
}

TEST(FunctionCounts, name_only_what_lies_in_the_mapping) {
  BlockProfile profile = profile_of({{0, 0, 5}});
  profile.mappings[0].end = profile.blocks[0].address + 7;
  EXPECT_EQ(instructions(profile),
            (Found{{"functions-gcc-O1: falls_through", 10}, {"functions-gcc-O1: [unknown]", 10}}));
  profile.mappings[0].start = profile.blocks[0].address + 1;
  EXPECT_EQ(instructions(profile), (Found{{"functions-gcc-O1: [unknown]", 20}}));
}

TEST(FunctionCounts, follow_the_mapping_to_another_place_in_the_file) {
  BlockProfile profile = profile_of({{0, 0, 5}});
  profile.mappings[0].start += 4096;
  EXPECT_EQ(instructions(profile), (Found{{"functions-gcc-O1: [unknown]", 20}}));
  profile.mappings[0].file_offset += 4096;
  EXPECT_EQ(instructions(profile).size(), 2U);
}

TEST(FunctionCounts, leave_out_a_provisional_tail_that_is_cut_short) {
  BlockProfile profile = profile_of({{0, 0, 5}});
  profile.blocks[0].provisional_tail = true;
  const std::vector<std::uint8_t> lengths = {4, 3, 2};
  profile.blocks[0].lengths = lengths;
  profile.blocks[0].bytes = profile.blocks[0].bytes.first(9);
  EXPECT_EQ(instructions(profile), (Found{{"functions-gcc-O1: falls_through", 10}}));
}

}  // namespace
}  // namespace bops::exact
