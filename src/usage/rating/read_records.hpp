// Records for rating: CloudEvents as ledgers export them, or the simple form.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <optional>
#include <string>

#include "usage/rating/rating_record.hpp"

namespace bops {

/// Who takes what is read.
struct RecordSink {
  std::function<void(RatingRecord)> record;
  /// One that is left out: the line it starts on, and what is wrong with it.
  std::function<void(std::uint64_t line, const Error& error)> problem;
};

/// Reads either a JSON array of simple records, or lines of which each is a bops.usage.v1 event or
/// a simple record; empty lines are passed over. A simple record is
///   {"source": "h1", "id": "a", "start": 0, "end": 60, "qty": 10}
/// with, where they apply, "tenant", "meter", "model", "received" and "reverses": [source, id].
/// A record that is wrong is left out. `form` is how the times before were written, if there were
/// any; kept up to date. Fails where an array is not JSON, of which the rest cannot be read.
[[nodiscard]] Result<void> read_rating_records(std::istream& text, std::optional<TimeForm>& form,
                                               const RecordSink& sink);

/// What rating looks at of a record that is `bytes` in its file or ledger.
[[nodiscard]] RatingRecord rating_record(const UsageRecord& record, std::string_view bytes);

}  // namespace bops
