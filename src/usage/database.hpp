// The little of SQL that the ledger needs, the same for SQLite and PostgreSQL.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/error.hpp"

namespace bops {

using SqlValue = std::variant<std::nullptr_t, std::int64_t, std::string>;
using SqlRow = std::vector<std::optional<std::string>>;  ///< columns as text, absent where null

/// One connection. Statements take parameters $1, $2, ..., which must first appear in this order.
/// Errors are the database's own words.
class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  /// Any number of statements without parameters or results.
  [[nodiscard]] virtual Result<void> run(const std::string& statements) = 0;
  [[nodiscard]] virtual Result<std::vector<SqlRow>> query(const std::string& statement,
                                                          const std::vector<SqlValue>& values) = 0;
  /// One statement once for each row of values: how many rows each of them changed. Fails as a
  /// whole; within a transaction only.
  [[nodiscard]] virtual Result<std::vector<std::uint64_t>> execute_many(
      const std::string& statement, const std::vector<std::vector<SqlValue>>& rows) = 0;

  /// Starts a transaction that no other writer of records runs beside.
  [[nodiscard]] virtual Result<void> begin_writing() = 0;

  /// The words of the dialect for ${int}, ${key} (of an ascending number) and ${strict}.
  [[nodiscard]] virtual std::string in_dialect(std::string statements) const = 0;
  /// Statements that make a table append-only. `same` says when a row is the NEW one again.
  [[nodiscard]] virtual std::string append_only(const std::string& table,
                                                const std::string& same) const = 0;
};

/// A file; made if it is missing and `create`. WAL, synchronous=FULL.
[[nodiscard]] Result<std::unique_ptr<Database>> open_sqlite(const std::string& path, bool create);

/// postgresql://... as libpq takes it.
[[nodiscard]] Result<std::unique_ptr<Database>> open_postgresql(const std::string& url);

/// Replaces every `from` in a text.
[[nodiscard]] std::string with_all_replaced(std::string text, const std::string& from,
                                            const std::string& to);

}  // namespace bops
