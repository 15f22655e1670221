// What comes of many comparisons with Zydis.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>

#include "tests/native/unknown_to_zydis.hpp"
#include "tests/native/zydis_comparison.hpp"

namespace bops::native {

class Tally {
 public:
  /// Compares at the start of `bytes`; returns the instruction's length, 0 if it is none.
  unsigned add(std::span<const std::uint8_t> bytes);

  /// Fails the test for every kind of difference, with an example of each.
  void expect_agreement() const;

  /// One line.
  [[nodiscard]] std::string summary() const;

  [[nodiscard]] std::uint64_t compared() const { return compared_; }
  [[nodiscard]] std::uint64_t same() const { return count(Verdict::kSame); }
  [[nodiscard]] std::uint64_t inexact_flags() const { return inexact_flags_; }
  [[nodiscard]] std::uint64_t inexact_registers() const { return inexact_registers_; }
  [[nodiscard]] std::uint64_t inexact_overwritten() const { return inexact_overwritten_; }
  [[nodiscard]] std::uint64_t count(Verdict verdict) const;
  [[nodiscard]] std::uint64_t count(Reason reason) const;

 private:
  struct Example {
    std::uint64_t count = 0;
    std::string text;
  };

  std::uint64_t compared_ = 0;
  std::uint64_t inexact_flags_ = 0;
  std::uint64_t inexact_registers_ = 0;
  std::uint64_t inexact_overwritten_ = 0;
  std::map<Verdict, std::uint64_t> verdicts_;
  std::map<Reason, std::uint64_t> reasons_;
  std::map<std::string, Example> differences_;  ///< by instruction and kind
  UnknownToZydis unknown_;
};

}  // namespace bops::native
