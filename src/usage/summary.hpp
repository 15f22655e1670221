// Sums of the records of a ledger.
#pragma once

#include <compare>
#include <map>
#include <string>

#include "usage/ledger.hpp"
#include "usage/wide_sum.hpp"

namespace bops {

/// What sums are kept apart by. Fields that are not asked for are empty, or 0.
struct SummaryKey {
  UtcNs hour = 0;
  std::string subject;
  std::string meter;
  std::string unit;
  std::string model;
  std::string job;
  std::string source;
  // clang-tidy 14 takes the comparison with 0 in a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const SummaryKey&, const SummaryKey&) = default;
};

struct SummaryFields {
  bool hour = true;
  bool model = true;
  bool job = false;
  bool source = false;
};

struct Summary {
  std::map<SummaryKey, WideSum> sums;
  std::uint64_t records = 0;   ///< that are in the sums
  std::uint64_t disputed = 0;  ///< left out
  std::uint64_t rejected = 0;  ///< left out: another record of the key was found to be right
  std::uint64_t reversed = 0;  ///< left out
};

/// Leaves out records whose key is disputed, those that are rejected, and those that were reversed.
[[nodiscard]] Result<Summary> summarise_records(Ledger& ledger, const SummaryFields& fields);

/// The value of a record's attribute or resource as text; empty if it has none.
[[nodiscard]] std::string text_of_field(const nlohmann::json& object, const char* name);

}  // namespace bops
