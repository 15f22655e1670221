#include "collectors/exact/decode/operation_table.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <unordered_map>

namespace bops::exact {
namespace {

struct Suffix {
  std::string_view text;
  std::uint8_t lane_bits;
  bool scalar;
};

constexpr std::array kNoSuffix{Suffix{"", 0, false}};
constexpr std::array kFloatSuffixes{Suffix{"ps", 32, false}, Suffix{"pd", 64, false},
                                    Suffix{"ph", 16, false}, Suffix{"ss", 32, true},
                                    Suffix{"sd", 64, true},  Suffix{"sh", 16, true}};
constexpr std::array kIntegerSuffixes{Suffix{"b", 8, false}, Suffix{"w", 16, false},
                                      Suffix{"d", 32, false}, Suffix{"q", 64, false}};

std::span<const Suffix> suffixes_of(Suffixes suffixes) {
  switch (suffixes) {
    case Suffixes::kFloat: return kFloatSuffixes;
    case Suffixes::kInteger: return kIntegerSuffixes;
    case Suffixes::kNone: break;
  }
  return kNoSuffix;
}

constexpr std::size_t kMnemonics = ZYDIS_MNEMONIC_MAX_VALUE + 1;
using Table = std::array<Operation, kMnemonics>;

Table build_table() {
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t mnemonic = 0; mnemonic < kMnemonics; ++mnemonic) {
    index.emplace(ZydisMnemonicGetString(static_cast<ZydisMnemonic>(mnemonic)), mnemonic);
  }
  Table table;
  for (const OperationRow& row : operation_rows()) {
    expand_row(row, [&](std::string_view name, const Operation& operation) {
      if (const auto found = index.find(name); found != index.end()) {
        table.at(found->second) = operation;
      }
    });
  }
  return table;
}

}  // namespace

void expand_row(const OperationRow& row,
                const std::function<void(std::string_view, const Operation&)>& take) {
  std::string_view rest = row.stems;
  while (!rest.empty()) {
    const std::string_view stem = rest.substr(0, rest.find(' '));
    rest.remove_prefix(stem.size() < rest.size() ? stem.size() + 1 : stem.size());
    for (const Suffix& suffix : suffixes_of(row.suffixes)) {
      Operation operation = row.operation;
      if (row.suffixes != Suffixes::kNone) {
        operation.measure = suffix.scalar ? Measure::kOnce : Measure::kPerLane;
        operation.lane_bits = suffix.lane_bits;
      }
      std::string name = "v";
      name.append(stem).append(suffix.text);
      take(name, operation);
      take(std::string_view(name).substr(1), operation);
    }
  }
}

const Operation& operation_of(ZydisMnemonic mnemonic) {
  static const Table table = build_table();
  return table.at(mnemonic);
}

}  // namespace bops::exact
