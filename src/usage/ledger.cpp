#include "usage/ledger.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <set>

#include "usage/digest.hpp"
#include "usage/records_files.hpp"

namespace bops {
namespace {

constexpr std::size_t kPage = 5000;

bool is_url(const std::string& where) {
  return where.starts_with("postgresql://") || where.starts_with("postgres://");
}

std::int64_t number(const std::optional<std::string>& field) {
  return field ? std::strtoll(field->c_str(), nullptr, 10) : 0;
}

// Whether a record counts: 0; its key is disputed: 1; another one was found to be right: 2. A
// resolution holds for the copies that were there when it was made.
constexpr const char* kStanding =
    "CASE WHEN d.id IS NULL THEN 0 WHEN v.n IS NULL THEN 1 WHEN v.sha256 = r.sha256 THEN 0 ELSE 2 "
    "END";
constexpr const char* kFromRecords =
    " FROM records r LEFT JOIN disputes d ON d.source_n = r.source_n AND d.id = r.id "
    "LEFT JOIN resolutions v ON v.n = (SELECT max(w.n) FROM resolutions w WHERE w.source_n = "
    "d.source_n AND w.id = d.id) AND v.up_to >= (SELECT max(o.n) FROM records o WHERE o.source_n = "
    "d.source_n AND o.id = d.id) ";

std::string select_stored() {
  return std::string("SELECT r.n, r.line, r.received_ns, ") + kStanding +
         ", r.source_n, r.seq, r.sha256" + kFromRecords;
}

StoredRecord stored(SqlRow& row) {
  return {number(row[0]), std::move(*row[1]), number(row[2]), row[3] == "1", row[3] == "2"};
}

SqlValue optional_text(const std::string& text) {
  return text.empty() ? SqlValue(nullptr) : SqlValue(text);
}

/// What a batch has for the statements of append_in_transaction().
using Rows = std::vector<std::vector<SqlValue>>;

Rows source_rows(const LedgerBatch& batch) {
  std::set<std::string> sources;
  for (const IncomingRecord& incoming : batch.records) sources.insert(incoming.record.key.source);
  Rows rows;
  for (const std::string& source : sources) rows.push_back({source});
  return rows;
}

Rows record_rows(const LedgerBatch& batch) {
  Rows rows;
  for (const auto& [line, record] : batch.records) {
    const bool measured = !record.meter.empty();
    rows.push_back({record.key.source, record.key.id, sha256_hex(line), line, batch.received,
                    record.seq ? SqlValue(static_cast<std::int64_t>(*record.seq)) : nullptr,
                    record.subject, optional_text(record.meter),
                    measured ? SqlValue(static_cast<std::int64_t>(record.quantity)) : nullptr,
                    record.start, record.end,
                    record.reverses ? SqlValue(record.reverses->source) : nullptr,
                    record.reverses ? SqlValue(record.reverses->id) : nullptr});
  }
  return rows;
}

constexpr const char* kInsertRecord =
    "INSERT INTO records (source_n, id, sha256, line, received_ns, seq, subject, meter, quantity, "
    "start_ns, end_ns, reverses_source, reverses_id) VALUES "
    "((SELECT n FROM sources WHERE source = $1), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
    "$13) ON CONFLICT DO NOTHING";

// Of an added record: a dispute, if its key has other bytes as well.
constexpr const char* kInsertDispute =
    "INSERT INTO disputes (source_n, id) SELECT r.source_n, r.id FROM records r JOIN sources s ON "
    "s.n = r.source_n WHERE s.source = $1 AND r.id = $2 GROUP BY r.source_n, r.id HAVING count(*) "
    "> 1 ON CONFLICT DO NOTHING";

std::uint64_t sum(const std::vector<std::uint64_t>& counts) {
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts) total += count;
  return total;
}

}  // namespace

bool names_ledger(const std::string& where) {
  if (is_url(where)) return true;
  if (is_directory(where)) return false;
  std::ifstream file(where, std::ios::binary);
  std::array<char, 16> start{};
  if (file.read(start.data(), start.size()))
    return std::string_view(start.data(), 15) == "SQLite format 3";
  for (const char* suffix : {".db", ".sqlite", ".sqlite3"})
    if (where.ends_with(suffix)) return true;
  return false;
}

AppendCounts& AppendCounts::operator+=(const AppendCounts& other) {
  added += other.added;
  duplicates += other.duplicates;
  disputed += other.disputed;
  quarantined += other.quarantined;
  return *this;
}

Result<std::unique_ptr<Ledger>> Ledger::open(const std::string& where, bool create) {
  if (!is_url(where) && !create && !is_there(where))
    return failure("there is no ledger " + where, "bops usage import makes one");
  auto database = is_url(where) ? open_postgresql(where) : open_sqlite(where, create);
  if (!database) return tl::unexpected(database.error());
  std::unique_ptr<Ledger> ledger(new Ledger(*std::move(database)));
  Database& sql = *ledger->database_;
  const auto migrated = ledger->in_transaction([&]() -> Result<void> {
    int version = 0;
    const auto there = sql.query(
        sql.in_dialect(is_url(where)
                           ? "SELECT count(*) FROM pg_tables WHERE tablename = 'bops_ledger' AND "
                             "schemaname = current_schema()"
                           : "SELECT count(*) FROM sqlite_schema WHERE name = 'bops_ledger'"),
        {});
    if (!there) return tl::unexpected(there.error());
    if (number(there->front()[0]) > 0) {
      const auto found = sql.query("SELECT version FROM bops_ledger", {});
      if (!found) return tl::unexpected(found.error());
      version = found->empty() ? 0 : static_cast<int>(number(found->front()[0]));
    }
    if (version > kSchemaVersion)
      return failure("the ledger was written by a newer bops (schema " + std::to_string(version) +
                         ", this one knows " + std::to_string(kSchemaVersion) + ")",
                     "use that bops");
    for (; version < kSchemaVersion; ++version)
      if (auto done = sql.run(ledger_migration(sql, version)); !done) return done;
    return {};
  });
  if (!migrated) return tl::unexpected(migrated.error());
  return ledger;
}

Result<void> Ledger::in_transaction(const std::function<Result<void>()>& work) {
  if (auto begun = database_->begin_writing(); !begun) return begun;
  auto done = work();
  if (done) done = database_->run("COMMIT");
  if (!done) (void)database_->run("ROLLBACK");
  return done;
}

Result<AppendCounts> Ledger::append_in_transaction(const LedgerBatch& batch) {
  AppendCounts counts;
  const auto sources = database_->execute_many(
      "INSERT INTO sources (source) VALUES ($1) ON CONFLICT DO NOTHING", source_rows(batch));
  if (!sources) return tl::unexpected(sources.error());
  const auto added = database_->execute_many(kInsertRecord, record_rows(batch));
  if (!added) return tl::unexpected(added.error());
  counts.added = sum(*added);
  counts.duplicates = batch.records.size() - counts.added;
  Rows keys;
  for (std::size_t i = 0; i < batch.records.size(); ++i)
    if (added->at(i) > 0)
      keys.push_back({batch.records[i].record.key.source, batch.records[i].record.key.id});
  const auto disputed = database_->execute_many(kInsertDispute, keys);
  if (!disputed) return tl::unexpected(disputed.error());
  counts.disputed = sum(*disputed);

  Rows rows;
  for (const QuarantinedLine& line : batch.quarantined)
    rows.push_back({line.file, static_cast<std::int64_t>(line.line), line.reason, line.bytes,
                    line.sha256, batch.received});
  const auto quarantined = database_->execute_many(
      "INSERT INTO quarantine (file, line, reason, bytes, sha256, received_ns) VALUES ($1, $2, $3, "
      "$4, $5, $6) ON CONFLICT DO NOTHING",
      rows);
  if (!quarantined) return tl::unexpected(quarantined.error());
  counts.quarantined = batch.quarantined.size();

  rows.clear();
  for (const Checkpoint& checkpoint : batch.checkpoints)
    rows.push_back({checkpoint.origin, checkpoint_line(checkpoint)});
  const auto checkpoints = database_->execute_many(
      "INSERT INTO checkpoints (origin, line) VALUES ($1, $2) ON CONFLICT DO NOTHING", rows);
  if (!checkpoints) return tl::unexpected(checkpoints.error());

  if (batch.progress) {
    const ImportProgress& progress = *batch.progress;
    const auto kept = database_->execute_many(
        "INSERT INTO imports (file, identity, at_byte, lines, done) VALUES ($1, $2, $3, $4, $5) ON "
        "CONFLICT (file) DO UPDATE SET identity = excluded.identity, at_byte = excluded.at_byte, "
        "lines = excluded.lines, done = excluded.done",
        {{progress.file, progress.identity, static_cast<std::int64_t>(progress.offset),
          static_cast<std::int64_t>(progress.lines), std::int64_t{progress.done ? 1 : 0}}});
    if (!kept) return tl::unexpected(kept.error());
  }
  return counts;
}

Result<AppendCounts> Ledger::append(const LedgerBatch& batch) {
  AppendCounts counts;
  const auto done = in_transaction([&]() -> Result<void> {
    const auto appended = append_in_transaction(batch);
    if (!appended) return tl::unexpected(appended.error());
    counts = *appended;
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return counts;
}

Result<std::optional<ImportProgress>> Ledger::progress_of(const std::string& file) {
  const auto rows = database_->query(
      "SELECT identity, at_byte, lines, done FROM imports WHERE file = $1", {file});
  if (!rows) return tl::unexpected(rows.error());
  if (rows->empty()) return std::nullopt;
  const SqlRow& row = rows->front();
  return std::optional<ImportProgress>(
      {file, row[0].value_or(""), static_cast<std::uint64_t>(number(row[1])),
       static_cast<std::uint64_t>(number(row[2])), number(row[3]) != 0});
}

Result<std::vector<StoredRecord>> Ledger::after(std::int64_t after, std::size_t limit) {
  auto rows = database_->query(select_stored() + "WHERE r.n > $1 ORDER BY r.n LIMIT $2",
                               {after, static_cast<std::int64_t>(limit)});
  if (!rows) return tl::unexpected(rows.error());
  std::vector<StoredRecord> records;
  for (SqlRow& row : *rows) records.push_back(stored(row));
  return records;
}

Result<void> Ledger::for_each(const std::function<Result<void>(const StoredRecord&)>& visit) {
  for (std::int64_t last = 0;;) {
    const auto page = after(last, kPage);
    if (!page) return tl::unexpected(page.error());
    for (const StoredRecord& record : *page)
      if (auto seen = visit(record); !seen) return seen;
    if (page->empty()) return {};
    last = page->back().n;
  }
}

Result<void> Ledger::for_each_in_chains(
    const std::function<Result<void>(const StoredRecord&)>& visit) {
  std::int64_t source = 0, seq = -1, n = 0;
  for (;;) {
    auto rows =
        database_->query(select_stored() +
                             "WHERE r.seq IS NOT NULL AND (r.source_n, r.seq, r.n) > ($1, $2, $3) "
                             "ORDER BY r.source_n, r.seq, r.n LIMIT $4",
                         {source, seq, n, static_cast<std::int64_t>(kPage)});
    if (!rows) return tl::unexpected(rows.error());
    if (rows->empty()) return {};
    for (SqlRow& row : *rows) {
      source = number(row[4]);
      seq = number(row[5]);
      const StoredRecord record = stored(row);
      n = record.n;
      if (auto seen = visit(record); !seen) return seen;
    }
  }
}

Result<void> Ledger::for_each_in_chain(
    const std::string& source, const std::function<Result<void>(const StoredRecord&)>& visit) {
  const auto found = database_->query("SELECT n FROM sources WHERE source = $1", {source});
  if (!found) return tl::unexpected(found.error());
  if (found->empty()) return {};
  const std::int64_t number_of_source = number(found->front()[0]);
  std::int64_t seq = -1, n = 0;
  for (;;) {
    auto rows = database_->query(select_stored() +
                                     "WHERE r.source_n = $1 AND (r.seq, r.n) > ($2, $3) ORDER BY "
                                     "r.seq, r.n LIMIT $4",
                                 {number_of_source, seq, n, static_cast<std::int64_t>(kPage)});
    if (!rows) return tl::unexpected(rows.error());
    if (rows->empty()) return {};
    for (SqlRow& row : *rows) {
      seq = number(row[5]);
      const StoredRecord record = stored(row);
      n = record.n;
      if (auto seen = visit(record); !seen) return seen;
    }
  }
}

Result<std::vector<StoredRecord>> Ledger::with_key(const UsageKey& key) {
  auto copies = copies_of(key);
  if (!copies) return tl::unexpected(copies.error());
  std::vector<StoredRecord> records;
  for (RecordCopy& copy : *copies) records.push_back(std::move(copy.record));
  return records;
}

Result<std::vector<RecordCopy>> Ledger::copies_of(const UsageKey& key) {
  auto rows = database_->query(select_stored() +
                                   "JOIN sources s ON s.n = r.source_n WHERE s.source = $1 AND "
                                   "r.id = $2 ORDER BY r.n",
                               {key.source, key.id});
  if (!rows) return tl::unexpected(rows.error());
  std::vector<RecordCopy> copies;
  for (SqlRow& row : *rows) {
    std::string sha256 = row[6].value_or("");
    copies.push_back({stored(row), std::move(sha256)});
  }
  return copies;
}

Result<void> Ledger::resolve(const UsageKey& key, const std::string& sha256,
                             const std::string& reason, UtcNs now) {
  return in_transaction([&]() -> Result<void> {
    const auto copies = copies_of(key);
    if (!copies) return tl::unexpected(copies.error());
    const bool known = std::any_of(copies->begin(), copies->end(),
                                   [&](const RecordCopy& copy) { return copy.sha256 == sha256; });
    if (copies->size() < 2)
      return failure("the key is not disputed: the ledger has " + std::to_string(copies->size()) +
                     " records of it");
    if (!sha256.empty() && !known)
      return failure("no record of the key has the SHA-256 " + sha256,
                     "bops usage resolve without --keep shows them");
    const auto done = database_->execute_many(
        "INSERT INTO resolutions (source_n, id, sha256, reason, resolved_ns, up_to) VALUES "
        "((SELECT n FROM sources WHERE source = $1), $2, $3, $4, $5, $6)",
        {{key.source, key.id, sha256, reason, now, copies->back().record.n}});
    if (!done) return tl::unexpected(done.error());
    return {};
  });
}

Result<std::vector<UsageKey>> Ledger::reversed_keys() {
  const auto rows = database_->query(
      std::string("SELECT DISTINCT r.reverses_source, r.reverses_id") + kFromRecords +
          "WHERE r.reverses_source IS NOT NULL AND " + kStanding + " = 0",
      {});
  if (!rows) return tl::unexpected(rows.error());
  std::vector<UsageKey> keys;
  for (const SqlRow& row : *rows) keys.push_back({row[0].value_or(""), row[1].value_or("")});
  return keys;
}

Result<std::vector<QuarantinedLine>> Ledger::quarantine() {
  const auto rows =
      database_->query("SELECT file, line, reason, bytes, sha256 FROM quarantine ORDER BY n", {});
  if (!rows) return tl::unexpected(rows.error());
  std::vector<QuarantinedLine> lines;
  for (const SqlRow& row : *rows)
    lines.push_back({row[0].value_or(""), static_cast<std::uint64_t>(number(row[1])),
                     row[2].value_or(""), row[3].value_or(""), row[4].value_or("")});
  return lines;
}

Result<std::vector<Checkpoint>> Ledger::checkpoints() {
  const auto rows = database_->query("SELECT line FROM checkpoints ORDER BY n", {});
  if (!rows) return tl::unexpected(rows.error());
  std::vector<Checkpoint> checkpoints;
  for (const SqlRow& row : *rows)
    if (auto checkpoint = parse_checkpoint_line(row[0].value_or("")))
      checkpoints.push_back(*std::move(checkpoint));
  return checkpoints;
}

Result<std::int64_t> Ledger::cursor(const std::string& sink) {
  const auto rows = database_->query("SELECT n FROM cursors WHERE sink = $1", {sink});
  if (!rows) return tl::unexpected(rows.error());
  return rows->empty() ? 0 : number(rows->front()[0]);
}

Result<void> Ledger::set_cursor(const std::string& sink, std::int64_t n) {
  return in_transaction([&]() -> Result<void> {
    const auto kept = database_->execute_many(
        "INSERT INTO cursors (sink, n) VALUES ($1, $2) ON CONFLICT (sink) DO UPDATE SET n = "
        "excluded.n",
        {{sink, n}});
    if (!kept) return tl::unexpected(kept.error());
    return {};
  });
}

}  // namespace bops
