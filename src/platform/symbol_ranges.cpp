#include "platform/symbol_ranges.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>

namespace bops {
namespace {

bool is_before(const CodeSymbol& a, const CodeSymbol& b) {
  if (a.start != b.start) return a.start < b.start;
  if (a.kind != b.kind) return a.kind < b.kind;
  if (a.name.size() != b.name.size()) return a.name.size() < b.name.size();
  return a.name < b.name;
}

/// Of sorted symbols.
void unite_aliases(std::vector<CodeSymbol>& symbols) {
  std::size_t kept = 0;
  for (const CodeSymbol& symbol : symbols) {
    if (kept != 0 && symbols[kept - 1].start == symbol.start)
      symbols[kept - 1].size = std::max(symbols[kept - 1].size, symbol.size);
    else
      symbols[kept++] = symbol;
  }
  symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(kept), symbols.end());
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
    ranges_.push_back({covered_to_, end, open_.back().name});
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

std::vector<CodeSymbol> without_aliases(std::vector<CodeSymbol> symbols) {
  std::sort(symbols.begin(), symbols.end(), is_before);
  unite_aliases(symbols);
  return symbols;
}

std::vector<CodeSymbol> with_more(std::vector<CodeSymbol> symbols, std::vector<CodeSymbol> more) {
  std::sort(more.begin(), more.end(), is_before);
  std::vector<CodeSymbol> all;
  all.reserve(symbols.size() + more.size());
  std::merge(symbols.begin(), symbols.end(), more.begin(), more.end(), std::back_inserter(all),
             is_before);
  unite_aliases(all);
  return all;
}

std::vector<ElfFunction> disjoint_ranges_of(const std::vector<CodeSymbol>& symbols) {
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
