#include "collectors/exact/decode/operation_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace bops::exact {
namespace {

std::set<std::string> zydis_names() {
  std::set<std::string> names;
  for (int mnemonic = ZYDIS_MNEMONIC_INVALID + 1; mnemonic <= ZYDIS_MNEMONIC_MAX_VALUE;
       ++mnemonic) {
    names.insert(ZydisMnemonicGetString(static_cast<ZydisMnemonic>(mnemonic)));
  }
  return names;
}

// A newer Zydis must not slip instructions in that nobody has looked at.
TEST(OperationTable, names_every_mnemonic_that_zydis_knows) {
  std::set<std::string> unnamed = zydis_names();
  for (const OperationRow& row : operation_rows()) {
    expand_row(row,
               [&](std::string_view name, const Operation&) { unnamed.erase(std::string(name)); });
  }
  EXPECT_TRUE(unnamed.empty()) << unnamed.size() << " mnemonics in no row, such as "
                               << *unnamed.begin();
}

TEST(OperationTable, no_two_rows_claim_one_mnemonic) {
  const std::set<std::string> names = zydis_names();
  std::map<std::string, const OperationRow*, std::less<>> owner;
  for (const OperationRow& row : operation_rows()) {
    expand_row(row, [&](std::string_view name, const Operation&) {
      if (!names.contains(std::string(name))) return;
      const auto [entry, fresh] = owner.emplace(name, &row);
      EXPECT_TRUE(fresh || entry->second == &row) << name;
    });
  }
}

TEST(OperationTable, every_computing_row_has_a_weight_and_every_lane_a_width) {
  for (const OperationRow& row : operation_rows()) {
    expand_row(row, [&](std::string_view name, const Operation& operation) {
      const bool computes = operation.kind >= Kind::kAddress;
      EXPECT_EQ(computes, operation.weight > 0) << name;
      EXPECT_TRUE(operation.measure != Measure::kPerLane || operation.lane_bits > 0) << name;
    });
  }
}

TEST(OperationTable, every_name_of_a_row_finds_that_row_again) {
  std::map<std::string, ZydisMnemonic, std::less<>> by_name;
  for (int value = 1; value <= ZYDIS_MNEMONIC_MAX_VALUE; ++value) {
    const auto mnemonic = static_cast<ZydisMnemonic>(value);
    by_name.emplace(ZydisMnemonicGetString(mnemonic), mnemonic);
  }
  for (const OperationRow& row : operation_rows()) {
    expand_row(row, [&](std::string_view name, const Operation& operation) {
      const auto found = by_name.find(name);
      if (found == by_name.end()) return;
      EXPECT_EQ(operation_of(found->second), operation) << name;
    });
  }
}

}  // namespace
}  // namespace bops::exact
