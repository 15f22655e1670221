// Cases for rating: by hand, and made from a seed.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "usage/rating/rate.hpp"

namespace bops::rating_cases {

/// A record of tenant-less, meter-less use; seconds from an hour.
[[nodiscard]] RatingRecord record(const std::string& id, std::int64_t start, std::int64_t end,
                                  Quantity quantity);
[[nodiscard]] RatingRecord reversal(const std::string& id, const std::string& of);
[[nodiscard]] Package package(const std::string& id, std::int64_t quantity, std::int64_t from,
                              std::int64_t to);
/// `unit` for 1000 units of any use, in CNY.
[[nodiscard]] Price price(const std::string& unit = "0.002");

struct Case {
  std::vector<RatingRecord> records;
  Terms terms;
  RatingPolicy policy;
};

/// What rate() makes of it; a failure ends the test.
[[nodiscard]] Rating rated(const Case& made);
[[nodiscard]] SelectedUse selected(const Case& made);
/// Its lines as text.
[[nodiscard]] std::string lines(const Case& made);
/// "0 payg - 500 0.001" for each line, divided by "; ".
[[nodiscard]] std::string brief(const Lines& lines);

/// The same for the same seed on every machine. A few hours, tenants, meters and packages; records
/// that are twice there, disputed, reversed (also twice, also reversals), and late.
class RandomCases {
 public:
  explicit RandomCases(std::uint64_t seed) : random_(seed) {}
  [[nodiscard]] Case make();
  /// 0 ... limit - 1
  [[nodiscard]] std::int64_t below(std::int64_t limit);
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[static_cast<std::size_t>(below(static_cast<std::int64_t>(i)))]);
  }

 private:
  [[nodiscard]] std::int64_t moment();
  [[nodiscard]] RatingRecord make_record(std::size_t number);
  void add_trouble(std::vector<RatingRecord>& records);

  std::mt19937_64 random_;
};

}  // namespace bops::rating_cases
