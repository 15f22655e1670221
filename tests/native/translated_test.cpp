// The translator held against the CPU: every instruction form that Zydis can encode, alone, in
// rows, in loops and around transfers of control, executed on random state both ways. Registers,
// flags, vectors, memory, faults and the count of instructions must be the same.
//
// BOPS_TRANSLATED_CASES: how many cases of several forms; BOPS_TRANSLATED_SEED: another seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

#include "collectors/exact/block_counts.hpp"
#include "collectors/exact/block_profile.hpp"
#include "platform/file_mapping.hpp"
#include "tests/harness/sanitized.hpp"
#include "tests/harness/subprocess.hpp"
#include "tests/native/translated/case_writer.hpp"
#include "tests/native/translated/comparison.hpp"

namespace bops::native {
namespace {

constexpr int kSigIll = 4;

std::uint64_t number_from(const char* variable, std::uint64_t usual) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 0) : usual;
}

/// Instructions counted in each case's code, by address.
std::vector<std::int64_t> counts_in(const std::string& profile_path, const Cases& cases) {
  std::vector<std::int64_t> counts(cases.cases.size());
  const auto mapping = FileMapping::open(profile_path, FileMapping::Access::kReadOnly);
  if (!mapping) return {};
  const auto profile = exact::read_block_profile(mapping->bytes());
  if (!profile) return {};
  EXPECT_EQ(profile->malformed, 0U);
  EXPECT_TRUE(profile->uncounted.empty()) << profile->uncounted[0].reason;
  std::map<std::uint64_t, std::size_t> places;
  for (std::size_t i = 0; i < cases.cases.size(); ++i) places[cases.cases[i].data.code] = i;
  std::map<std::uint64_t, const exact::BlockProfile::Block*> blocks;
  for (const auto& block : profile->blocks) blocks[block.id] = &block;
  const auto add = [&](std::uint64_t id, std::int64_t instructions, std::uint64_t times) {
    const auto after = places.upper_bound(blocks.at(id)->address);
    if (after == places.begin()) return;
    const std::size_t which = std::prev(after)->second;
    const auto& of = cases.cases[which];
    if (blocks.at(id)->address >= of.data.code + of.code.size()) return;
    counts[which] += instructions * static_cast<std::int64_t>(times);
  };
  const auto length = [&](std::uint64_t id) {
    return static_cast<std::int64_t>(exact::instruction_count(*blocks.at(id)));
  };
  for (const auto& execution : profile->executions)
    add(execution.block, length(execution.block), execution.times);
  for (const auto& partial : profile->partials)
    add(partial.block, std::int64_t{partial.completed} - length(partial.block), partial.times);
  return counts;
}

/// Whether it tried to use memory where the engine may have its own: that is no fault there. That
/// is below 2 GiB, and where the kernel puts what is mapped anywhere, which differs from run to
/// run.
bool reaches_the_engine(const case_result& alone) {
  constexpr std::uint64_t kLowest = 0x10000, kLowEnd = 0x80000000, kAnywhere = 0x7e8000000000,
                          kUserEnd = 0x800000000000, kPageFault = 14;
  for (unsigned i = 0; i < CASE_FAULTS && i < alone.faults; ++i) {
    const case_fault& fault = alone.fault[i];
    const std::uint64_t address = fault.fault_address;
    const bool is_own = address >= CASE_LOW && address < CASE_LOW + CASE_DATA + 2 * CASE_READABLE;
    const bool is_reached = (address >= kLowest && address < kLowEnd && !is_own) ||
                            (address >= kAnywhere && address < kUserEnd);
    if (fault.trap == kPageFault && is_reached) return true;
  }
  return false;
}

class Translated : public testing::Test {
 protected:
  void SetUp() override {
    if (!__builtin_cpu_supports("avx")) GTEST_SKIP() << "the CPU has no AVX";
  }

  static std::vector<case_result> run_alone(const std::string& file, const char* mode,
                                            std::size_t cases) {
    return checked(harness::run({BOPS_RUNNER, file, mode}), cases);
  }
  std::vector<case_result> run_under_engine(const std::string& file, const char* mode,
                                            const Cases& cases, std::vector<std::int64_t>& counts) {
    const std::string profile = directory_ / ("profile-" + std::to_string(++runs_));
    const auto created = exact::create_block_profile(profile, "native", 0);
    EXPECT_TRUE(created);
    const auto results = checked(
        harness::run({BOPS_ENGINE, profile, BOPS_RUNNER, BOPS_RUNNER, BOPS_RUNNER, file, mode}),
        cases.cases.size());
    counts = counts_in(profile, cases);
    return results;
  }

  /// Runs the cases in all ways. Returns what they did alone.
  std::vector<case_result> compare(const Cases& cases) {
    const std::string file = directory_ / "cases";
    cases.write(file);
    const std::size_t size = cases.cases.size();
    const auto alone = run_alone(file, "p", size);
    const auto again = run_alone(file, "p", size);
    const auto stepped = run_alone(file, "s", size);
    if (HasFailure()) return {};
    std::set<std::size_t> unstable;
    for (std::size_t i = 0; i < size; ++i)
      if (reaches_the_engine(alone[i]) || !difference(cases.cases[i], alone[i], again[i]).empty())
        unstable.insert(i);
    std::cout << size << " cases, " << unstable.size()
              << " of them left out: they tell the time, or stray into memory of the engine\n";
    EXPECT_LT(unstable.size(), size / 100 + 1);
    for (const char* mode : {"p", "t"}) {
      std::vector<std::int64_t> counts;
      const auto under = run_under_engine(file, mode, cases, counts);
      if (HasFailure()) return alone;
      EXPECT_EQ(counts.size(), size);
      int shown = 0, different = 0;
      for (std::size_t i = 0; i < size && i < counts.size(); ++i) {
        if (unstable.contains(i)) continue;
        std::string text = difference(cases.cases[i], alone[i], under[i]);
        const auto expected = std::int64_t{stepped[i].steps} + cases.cases[i].untrapped;
        const bool is_stepped =
            cases.cases[i].is_steppable && !(cases.cases[i].has_elements && alone[i].faults != 0);
        if (is_stepped && counts[i] != expected)
          text += "  counted " + std::to_string(counts[i]) + " instead of " +
                  std::to_string(expected) + "\n";
        if (text.empty()) continue;
        ++different;
        constexpr int kMost = 12;
        if (shown++ < kMost)
          ADD_FAILURE() << "case " << i << ", mode " << mode << "\n"
                        << text << described(cases.cases[i]);
      }
      EXPECT_EQ(different, 0) << "of " << size << ", mode " << mode;
    }
    return alone;
  }

  harness::TemporaryDirectory directory_;
  int runs_ = 0;
  std::uint64_t seed_ = number_from("BOPS_TRANSLATED_SEED", 20);

 private:
  static std::vector<case_result> checked(const harness::Ended& ended, std::size_t cases) {
    EXPECT_EQ(ended.code, 0) << "signal " << ended.signal.value_or(0) << "; " << ended.errors;
    auto results = read_results(ended.output);
    EXPECT_EQ(results.size(), cases);
    results.resize(cases);
    return results;
  }
};

bool is_known_to_the_cpu(const case_result& result) {
  return result.faults == 0 || result.fault[0].signal != kSigIll;
}

/// Forms of which a case was executed without an invalid opcode.
std::set<std::size_t> supported(const Cases& cases, const std::vector<case_result>& results) {
  std::set<std::size_t> forms;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (is_known_to_the_cpu(results[i])) forms.insert(cases.cases[i].form);
  return forms;
}

TEST_F(Translated, every_form_does_by_itself_what_it_does_natively) {
  Random random(seed_);
  const std::vector<Form> forms = executable_forms();
  const Cases cases = single_forms(forms, 1, random);
  const auto alone = compare(cases);
  std::set<std::size_t> written;
  for (const Case& one : cases.cases) written.insert(one.form);
  const auto known = supported(cases, alone);
  std::cout << forms.size() << " forms, " << written.size() << " executed, of which the CPU knows "
            << known.size() << '\n';
  for (std::size_t i = 0; i < forms.size(); ++i)
    if (!written.contains(i)) std::cout << "not written: " << forms[i].name << '\n';
  EXPECT_GT(known.size(), 1000U);
}

TEST_F(Translated, rows_loops_and_transfers_do_what_they_do_natively) {
  Random random(seed_ + 1);
  const std::vector<Form> all = executable_forms();
  const Cases probes = single_forms(all, 1, random);
  const std::string file = directory_ / "probes";
  probes.write(file);
  std::vector<Form> forms;
  for (const std::size_t form : supported(probes, run_alone(file, "p", probes.cases.size())))
    forms.push_back(all[form]);
  ASSERT_GT(forms.size(), 1000U);
  const auto wanted = number_from("BOPS_TRANSLATED_CASES", harness::kSanitized ? 1'000 : 3'000);
  constexpr std::uint64_t kOfOneFile = 10'000;
  for (std::uint64_t done = 0; done < wanted && !HasFailure(); done += kOfOneFile)
    compare(mixed_forms(forms, static_cast<unsigned>(std::min(kOfOneFile, wanted - done)), random));
}

}  // namespace
}  // namespace bops::native
