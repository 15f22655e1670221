#include "platform/symbol_ranges.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace bops {
namespace {

/// One symbol per address.
std::vector<CodeSymbol> without_aliases(std::vector<CodeSymbol> symbols) {
  std::sort(symbols.begin(), symbols.end(), [](const CodeSymbol& a, const CodeSymbol& b) {
    return std::tuple(a.start, a.kind, a.name.size(), a.name) <
           std::tuple(b.start, b.kind, b.name.size(), b.name);
  });
  std::vector<CodeSymbol> unique;
  for (const CodeSymbol& symbol : symbols) {
    if (unique.empty() || unique.back().start != symbol.start)
      unique.push_back(symbol);
    else
      unique.back().size = std::max(unique.back().size, symbol.size);
  }
  return unique;
}

/// Turns nested or overlapping symbols, met in ascending order, into disjoint ranges.
class Sweep {
 public:
  /// The end of the innermost symbol that covers `address`; 0 if none does.
  std::uint64_t advance(std::uint64_t address) {
    while (!open_.empty() && open_.back().end <= address) close();
    return open_.empty() ? 0 : open_.back().end;
  }
  void enter(const CodeSymbol& symbol, std::uint64_t end) {
    if (!open_.empty()) emit(symbol.start);
    covered_to_ = symbol.start;
    open_.push_back({end, symbol.name});
  }
  std::vector<ElfFunction> finish() {
    while (!open_.empty()) close();
    return std::move(ranges_);
  }

 private:
  struct Open {
    std::uint64_t end;
    std::string_view name;
  };

  /// The innermost symbol has all up to `end` that has no name yet.
  void emit(std::uint64_t end) {
    if (covered_to_ >= end) return;
    ranges_.push_back({covered_to_, end, std::string(open_.back().name)});
    covered_to_ = end;
  }
  void close() {
    emit(open_.back().end);
    open_.pop_back();
  }

  std::vector<Open> open_;
  std::uint64_t covered_to_ = 0;
  std::vector<ElfFunction> ranges_;
};

std::uint64_t end_of(const CodeSymbol& symbol, std::uint64_t next_start, std::uint64_t outer_end) {
  if (symbol.size != 0)
    return symbol.start + std::min(symbol.size, symbol.section_end - symbol.start);
  const std::uint64_t limit = std::min(next_start, symbol.section_end);
  return outer_end > symbol.start ? std::min(limit, outer_end) : limit;
}

}  // namespace

std::vector<ElfFunction> disjoint_ranges(std::vector<CodeSymbol> symbols) {
  symbols = without_aliases(std::move(symbols));
  Sweep sweep;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const CodeSymbol& symbol = symbols[i];
    const std::uint64_t next_start =
        i + 1 < symbols.size() ? symbols[i + 1].start : std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t outer_end = sweep.advance(symbol.start);
    if (symbol.kind == SymbolKind::kLabel && outer_end != 0) continue;
    sweep.enter(symbol, end_of(symbol, next_start, outer_end));
  }
  return sweep.finish();
}

}  // namespace bops
