// Keeps usage records for good: a SQLite file, or a PostgreSQL database.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "usage/checkpoint.hpp"
#include "usage/database.hpp"
#include "usage/usage_record.hpp"

namespace bops {

/// Whether a path or URL names a ledger: postgresql://..., or a file that is one, or whose name
/// ends in .db, .sqlite or .sqlite3.
[[nodiscard]] bool names_ledger(const std::string& where);

/// A line that came in and what it says.
struct IncomingRecord {
  std::string line;
  UsageRecord record;
};

/// A line that is not a record, kept with the reason.
struct QuarantinedLine {
  std::string file;
  std::uint64_t line = 0;
  std::string reason;
  std::string bytes;  ///< its beginning, base64: it may be anything
  std::string sha256;
};

/// How far the import of a file has come. The file is known by more than its name.
struct ImportProgress {
  std::string file;      ///< absolute path
  std::string identity;  ///< device, inode, size and time of change
  std::uint64_t offset = 0;
  std::uint64_t lines = 0;
  bool done = false;
};

/// What is written in one transaction: all of it, or nothing.
struct LedgerBatch {
  UtcNs received = 0;
  std::vector<IncomingRecord> records;
  std::vector<QuarantinedLine> quarantined;
  std::vector<Checkpoint> checkpoints;
  std::optional<ImportProgress> progress;
};

struct AppendCounts {
  std::uint64_t added = 0;
  std::uint64_t duplicates = 0;  ///< same key, same bytes: no effect
  std::uint64_t disputed = 0;    ///< added where the key had other bytes
  std::uint64_t quarantined = 0;
  AppendCounts& operator+=(const AppendCounts& other);
};

struct StoredRecord {
  std::int64_t n = 0;  ///< order of arrival
  std::string line;    ///< the exact bytes
  UtcNs received = 0;
  bool disputed = false;  ///< its key has other bytes as well: not to be rated
  bool rejected = false;  ///< it had, and was found not to be the record: likewise
};

/// One of the records that came with a key, and how it is known from the others.
struct RecordCopy {
  StoredRecord record;
  std::string sha256;  ///< of the line
};

class Ledger {
 public:
  /// Opens, and brings an older schema up to date. Makes a missing file if `create`.
  [[nodiscard]] static Result<std::unique_ptr<Ledger>> open(const std::string& where, bool create);

  [[nodiscard]] Result<AppendCounts> append(const LedgerBatch& batch);
  [[nodiscard]] Result<std::optional<ImportProgress>> progress_of(const std::string& file);

  /// Up to `limit` records that arrived after number `after`.
  [[nodiscard]] Result<std::vector<StoredRecord>> after(std::int64_t after, std::size_t limit);
  /// All records in the order of arrival, until `visit` fails. In bounded memory.
  [[nodiscard]] Result<void> for_each(
      const std::function<Result<void>(const StoredRecord&)>& visit);
  /// All records source by source, in the order of their chains.
  [[nodiscard]] Result<void> for_each_in_chains(
      const std::function<Result<void>(const StoredRecord&)>& visit);
  /// The records of one source, in the order of its chain.
  [[nodiscard]] Result<void> for_each_in_chain(
      const std::string& source, const std::function<Result<void>(const StoredRecord&)>& visit);
  [[nodiscard]] Result<std::vector<StoredRecord>> with_key(const UsageKey& key);
  /// All that came with the key, in the order of arrival.
  [[nodiscard]] Result<std::vector<RecordCopy>> copies_of(const UsageKey& key);
  /// Ends the dispute of a key: from now on its copy of that SHA-256 counts, or, where that is
  /// empty, none. What comes later with still other bytes disputes it again. Kept for good, with
  /// the reason; the last resolution of a key is the one that holds.
  [[nodiscard]] Result<void> resolve(const UsageKey& key, const std::string& sha256,
                                     const std::string& reason, UtcNs now);
  /// The records that reversals void; of those that are disputed or rejected none.
  [[nodiscard]] Result<std::vector<UsageKey>> reversed_keys();
  [[nodiscard]] Result<std::vector<QuarantinedLine>> quarantine();
  [[nodiscard]] Result<std::vector<Checkpoint>> checkpoints();

  /// The number of the last record that a sink has; 0 at first.
  [[nodiscard]] Result<std::int64_t> cursor(const std::string& sink);
  [[nodiscard]] Result<void> set_cursor(const std::string& sink, std::int64_t n);

  [[nodiscard]] Database& database() { return *database_; }
  static constexpr int kSchemaVersion = 3;

 private:
  explicit Ledger(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  [[nodiscard]] Result<AppendCounts> append_in_transaction(const LedgerBatch& batch);
  [[nodiscard]] Result<void> in_transaction(const std::function<Result<void>()>& work);

  std::unique_ptr<Database> database_;
};

/// The statements that bring a schema from one version to the next: made of version 0 is version 1.
[[nodiscard]] std::string ledger_migration(const Database& database, int from);

}  // namespace bops
