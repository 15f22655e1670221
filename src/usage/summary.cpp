#include "usage/summary.hpp"

#include <set>

namespace bops {

std::string text_of_field(const nlohmann::json& object, const char* name) {
  const auto field = object.find(name);
  if (field == object.end() || field->is_null()) return {};
  return field->is_string() ? field->get<std::string>() : field->dump();
}

Result<Summary> summarise_records(Ledger& ledger, const SummaryFields& fields) {
  Summary summary;
  const auto reversed = ledger.reversed_keys();
  if (!reversed) return tl::unexpected(reversed.error());
  const std::set<UsageKey> voided(reversed->begin(), reversed->end());
  const auto seen = ledger.for_each([&](const StoredRecord& stored) -> Result<void> {
    if (stored.disputed) {
      ++summary.disputed;
      return {};
    }
    if (stored.rejected) {
      ++summary.rejected;
      return {};
    }
    const auto record = parse_usage_line(stored.line);
    if (!record) return tl::unexpected(record.error());
    if (record->is_reversal()) return {};
    if (voided.contains(record->key)) {
      ++summary.reversed;
      return {};
    }
    ++summary.records;
    SummaryKey key{fields.hour ? hour_of(record->start) : 0,
                   record->subject,
                   record->meter,
                   record->unit,
                   "",
                   "",
                   ""};
    if (fields.model) key.model = text_of_field(record->attrs, "model");
    if (fields.job) key.job = text_of_field(record->resource, "job.id");
    if (fields.source) key.source = record->key.source;
    summary.sums[key] += record->quantity;
    return {};
  });
  if (!seen) return tl::unexpected(seen.error());
  return summary;
}

}  // namespace bops
