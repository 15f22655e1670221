#include "tests/native/tally.hpp"

namespace bops::native {

unsigned Tally::add(std::span<const std::uint8_t> bytes) {
  const Comparison comparison = compare_with_zydis(bytes);
  ++compared_;
  ++verdicts_[comparison.verdict];
  if (comparison.verdict == Verdict::kDifferent || comparison.verdict == Verdict::kOnlyZydis) {
    // Without the bytes: one example of each kind.
    Example& example = differences_[comparison.difference.substr(comparison.difference.find(':'))];
    ++example.count;
    example.text = comparison.difference;
  }
  if (comparison.verdict == Verdict::kOnlyOurs) {
    Instruction ours{};
    EXPECT_TRUE(decode_instruction(bytes.data(), bytes.size(), ours));
    const Reason reason = unknown_.reason(bytes, ours);
    ++reasons_[reason];
    if (reason == Reason::kNone) {
      Example& example = differences_["accepted"];
      ++example.count;
      example.text = hexadecimal(bytes.first(ours.length)) + ": Zydis does not know it";
    }
  }
  inexact_flags_ += comparison.exact_flags ? 0 : 1;
  inexact_registers_ += comparison.exact_registers ? 0 : 1;
  inexact_overwritten_ += comparison.exact_overwritten ? 0 : 1;
  return comparison.length;
}

void Tally::expect_agreement() const {
  for (const auto& [kind, example] : differences_) {
    ADD_FAILURE() << example.count << " times, such as " << example.text;
  }
  EXPECT_GT(same(), 0U);
}

std::uint64_t Tally::count(Verdict verdict) const {
  const auto found = verdicts_.find(verdict);
  return found == verdicts_.end() ? 0 : found->second;
}

std::uint64_t Tally::count(Reason reason) const {
  const auto found = reasons_.find(reason);
  return found == reasons_.end() ? 0 : found->second;
}

std::string Tally::summary() const {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  return number(compared_) + " strings, " + number(same()) + " instructions alike, " +
         number(count(Verdict::kExcluded)) +
         " excluded; accepted beyond Zydis: " + number(count(Reason::kLock)) + " with LOCK, " +
         number(count(Reason::kReservedField)) + " with a reserved field, " +
         number(count(Reason::kNewer)) + " newer, " + number(count(Reason::kBoundNop)) +
         " MPX; less than exact: flags of " + number(inexact_flags_) + ", registers of " +
         number(inexact_registers_) + ", overwritten of " + number(inexact_overwritten_);
}

}  // namespace bops::native
