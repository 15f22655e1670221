#include "usage/rating/selection.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace bops {
namespace {

/// Whether `later` is more than `limit_ns` after `earlier`; no pair of times overflows.
bool is_later_by_more(RatingTime later, RatingTime earlier, std::int64_t limit_ns) {
  return Quantity{later} - earlier > limit_ns;
}

bool is_late(RatingTime received, RatingTime start) {
  return is_later_by_more(received, rating_hour(start), kNsPerHour + kClosedAfterNs);
}

}  // namespace

std::string_view kind_of(QuarantineReason reason) {
  return reason == QuarantineReason::kTooLate ? "late" : "conflict";
}

std::string_view explain(QuarantineReason reason) {
  switch (reason) {
    case QuarantineReason::kDisputed:
      return "the records of this key differ; none is rated until it is resolved which holds";
    case QuarantineReason::kSecondReversal:
      return "what it reverses is reversed already; it changes nothing";
    case QuarantineReason::kReversalOfReversal:
      return "what it reverses is a reversal; it changes nothing";
    case QuarantineReason::kTooLate:
      return "received more than 35 days after its end; it is not rated";
  }
  return "";
}

void UseSelection::add(const RatingRecord& record) {
  const RatingTime received = record.received.value_or(record.end);
  if (cutoff_ && received > *cutoff_) {
    ++not_yet_received_;
    return;
  }
  Held held;
  held.id = record.key.id;
  held.source = source_index(record.key.source);
  held.account = accounts_.try_emplace(record.account, static_cast<std::uint32_t>(accounts_.size()))
                     .first->second;
  if (record.reverses) {
    reversed_.push_back(*record.reverses);
    held.reversal = static_cast<std::uint32_t>(reversed_.size());
  }
  held.start = record.start;
  held.end = record.end;
  held.received = received;
  held.quantity = record.quantity;
  held.content = record.content;
  held_.push_back(std::move(held));
}

std::uint32_t UseSelection::source_index(const std::string& source) {
  const auto [found, added] =
      source_indices_.try_emplace(source, static_cast<std::uint32_t>(sources_.size()));
  if (added) sources_.push_back(source);
  return found->second;
}

UsageKey UseSelection::key_of(const Held& held) const {
  return {sources_[held.source], held.id};
}

void UseSelection::sort_by_key() {
  // Sources compare as numbers from here on: their places in the order of their names.
  std::vector<std::uint32_t> by_name(sources_.size());
  for (std::uint32_t i = 0; i < by_name.size(); ++i) by_name[i] = i;
  std::ranges::sort(by_name, {}, [this](std::uint32_t i) { return std::string_view(sources_[i]); });
  std::vector<std::uint32_t> place(sources_.size());
  std::vector<std::string> sorted(sources_.size());
  for (std::uint32_t i = 0; i < by_name.size(); ++i) {
    place[by_name[i]] = i;
    sorted[i] = std::move(sources_[by_name[i]]);
  }
  sources_ = std::move(sorted);
  for (Held& held : held_) held.source = place[held.source];

  std::ranges::sort(held_, [this](const Held& left, const Held& right) {
    if (left.source != right.source) return left.source < right.source;
    if (const int order = left.id.compare(right.id); order != 0) return order < 0;
    const auto content = [](const Held& held) {
      return std::tie(held.content, held.account, held.start, held.end, held.quantity);
    };
    if (content(left) != content(right)) return content(left) < content(right);
    const auto target = [this](const Held& held) {
      return held.reversal == 0 ? UsageKey{} : reversed_[held.reversal - 1];
    };
    if (left.reversal != 0 || right.reversal != 0)
      if (const UsageKey a = target(left), b = target(right); a != b) return a < b;
    return left.received < right.received;
  });
}

std::optional<std::size_t> UseSelection::keep_one(std::size_t begin, std::size_t end,
                                                  SelectedUse& selected) const {
  const auto same_content = [this](const Held& left, const Held& right) {
    return std::tie(left.content, left.account, left.start, left.end, left.quantity) ==
               std::tie(right.content, right.account, right.start, right.end, right.quantity) &&
           (left.reversal == 0) == (right.reversal == 0) &&
           (left.reversal == 0 || reversed_[left.reversal - 1] == reversed_[right.reversal - 1]);
  };
  std::size_t contents = 0;  // that were received in time
  std::size_t last = begin;
  for (std::size_t copy = begin; copy < end; ++copy) {
    // Copies of one content stand together, the one that was received first before the others.
    if (copy > begin && same_content(held_[copy - 1], held_[copy])) {
      ++selected.duplicates;
      continue;
    }
    if (is_later_by_more(held_[copy].received, held_[copy].end, kTooLateNs)) {
      selected.quarantined.push_back({key_of(held_[copy]), QuarantineReason::kTooLate});
      continue;
    }
    ++contents;
    last = copy;
  }
  if (contents > 1)
    selected.quarantined.push_back({key_of(held_[begin]), QuarantineReason::kDisputed});
  if (contents != 1) return std::nullopt;
  return last;
}

void UseSelection::settle_reversals(const std::vector<std::size_t>& kept, SelectedUse& selected) {
  std::vector<const Held*> reversals;
  for (const std::size_t index : kept)
    if (held_[index].reversal != 0) reversals.push_back(&held_[index]);
  // Every copy that says it is a reversal, quarantined or not: what reverses it is at fault.
  std::set<UsageKey> keys_of_reversals;
  for (const Held& held : held_)
    if (held.reversal != 0) keys_of_reversals.insert(key_of(held));
  // The first of several is the one that was received first.
  std::ranges::stable_sort(reversals, {}, &Held::received);
  std::set<UsageKey> voided;
  for (const Held* reversal : reversals) {
    const UsageKey& target = reversed_[reversal->reversal - 1];
    if (keys_of_reversals.contains(target))
      selected.quarantined.push_back({key_of(*reversal), QuarantineReason::kReversalOfReversal});
    else if (!voided.insert(target).second)
      selected.quarantined.push_back({key_of(*reversal), QuarantineReason::kSecondReversal});
  }
  selected.records.reserve(kept.size());
  std::set<UsageKey> waiting = voided;
  for (const std::size_t index : kept) {
    const Held& held = held_[index];
    if (held.reversal != 0) continue;
    if (!voided.empty()) {
      const UsageKey key = key_of(held);
      if (voided.contains(key)) {
        waiting.erase(key);
        ++selected.reversed;
        continue;
      }
    }
    if (is_late(held.received, held.start)) ++selected.received_late;
    selected.records.push_back({held.account, held.start, held.end, held.quantity});
  }
  selected.waiting.assign(waiting.begin(), waiting.end());
}

SelectedUse UseSelection::finish() {
  SelectedUse selected;
  selected.not_yet_received = not_yet_received_;
  selected.accounts.resize(accounts_.size());
  for (const auto& [account, index] : accounts_) selected.accounts[index] = account;
  sort_by_key();
  std::vector<std::size_t> kept;
  for (std::size_t begin = 0, end = 0; begin < held_.size(); begin = end) {
    while (end < held_.size() && held_[end].source == held_[begin].source &&
           held_[end].id == held_[begin].id)
      ++end;
    if (const auto one = keep_one(begin, end, selected)) kept.push_back(*one);
  }
  settle_reversals(kept, selected);
  std::ranges::sort(selected.quarantined);
  selected.quarantined.erase(std::unique(selected.quarantined.begin(), selected.quarantined.end()),
                             selected.quarantined.end());
  return selected;
}

}  // namespace bops
