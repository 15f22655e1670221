// Which records count: each once, none that is disputed, reversed or too late.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "usage/rating/rating_record.hpp"

namespace bops {

/// Before that long after its end an hour is open, and a record of it is not late.
inline constexpr std::int64_t kClosedAfterNs = 900 * kNsPerSecond;
/// A record that is received longer than this after its end is not rated.
inline constexpr std::int64_t kTooLateNs = std::int64_t{35} * 24 * kNsPerHour;

enum class QuarantineReason : std::uint8_t {
  kDisputed,            ///< one key, two contents
  kSecondReversal,      ///< of a record that another reversal voids
  kReversalOfReversal,  ///< what it reverses is a reversal
  kTooLate,             ///< received more than kTooLateNs after its end
};

/// "conflict" for what only a person can resolve, "late".
[[nodiscard]] std::string_view kind_of(QuarantineReason reason);
/// "two records of this key differ", ...
[[nodiscard]] std::string_view explain(QuarantineReason reason);

struct Quarantined {
  UsageKey key;
  QuarantineReason reason = QuarantineReason::kDisputed;
  // clang-tidy 14 takes the comparison with 0 in a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const Quarantined&, const Quarantined&) = default;
};

/// A record that counts.
struct CountedUse {
  std::uint32_t account = 0;  ///< an index of SelectedUse::accounts
  RatingTime start = 0;
  RatingTime end = 0;
  Quantity quantity = 0;
};

struct SelectedUse {
  std::vector<UseAccount> accounts;
  std::vector<CountedUse> records;
  std::vector<Quarantined> quarantined;  ///< by key
  std::vector<UsageKey> waiting;         ///< reversals of records that are not here, by key
  std::uint64_t not_yet_received = 0;    ///< records received after the cutoff
  std::uint64_t received_late = 0;       ///< records that count, of an hour closed by then
  std::uint64_t duplicates = 0;
  std::uint64_t reversed = 0;
};

/// Takes records in any order, any of them several times. Holds about 170 bytes for each.
class UseSelection {
 public:
  /// Looks at what was received up to `cutoff`, included; at everything without one.
  explicit UseSelection(std::optional<RatingTime> cutoff) : cutoff_(cutoff) {}

  void add(const RatingRecord& record);
  /// To be called once. Does not depend on the order of the records but for that of the result's.
  [[nodiscard]] SelectedUse finish();

 private:
  struct Held {
    std::string id;
    std::uint32_t source = 0;    ///< an index of sources_
    std::uint32_t account = 0;   ///< an index of accounts_
    std::uint32_t reversal = 0;  ///< an index of reversed_ from 1; 0: none
    RatingTime start = 0;
    RatingTime end = 0;
    RatingTime received = 0;
    Quantity quantity = 0;
    std::array<std::uint8_t, 16> content{};
  };

  std::uint32_t source_index(const std::string& source);
  [[nodiscard]] UsageKey key_of(const Held& held) const;
  void sort_by_key();
  /// Which of the copies of one key counts: at most one.
  [[nodiscard]] std::optional<std::size_t> keep_one(std::size_t begin, std::size_t end,
                                                    SelectedUse& selected) const;
  void settle_reversals(const std::vector<std::size_t>& kept, SelectedUse& selected);

  std::optional<RatingTime> cutoff_;
  std::deque<Held> held_;  // which does not copy itself as it grows
  std::vector<std::string> sources_;
  std::unordered_map<std::string, std::uint32_t> source_indices_;
  std::map<UseAccount, std::uint32_t> accounts_;
  std::vector<UsageKey> reversed_;
  std::uint64_t not_yet_received_ = 0;
};

}  // namespace bops
