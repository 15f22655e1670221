#include <sqlite3.h>
#include <sys/stat.h>

#include <map>

#include "usage/database.hpp"

namespace bops {
namespace {

constexpr int kBusyMs = 20'000;

class SqliteDatabase final : public Database {
 public:
  static Result<std::unique_ptr<Database>> open(const std::string& path, bool create) {
    auto database = std::make_unique<SqliteDatabase>();
    database->path_ = path;
    const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    // What bops runs is nobody else's business; the file's companions take its mode.
    const mode_t mask = ::umask(0077);
    const int opened = sqlite3_open_v2(path.c_str(), &database->handle_, flags, nullptr);
    if (opened == SQLITE_OK) {
      sqlite3_busy_timeout(database->handle_, kBusyMs);
      sqlite3_extended_result_codes(database->handle_, 1);
    }
    auto ready = opened == SQLITE_OK
                     ? database->run(
                           "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                           "PRAGMA recursive_triggers=ON; PRAGMA trusted_schema=OFF;")
                     : database->failed("open");
    ::umask(mask);
    if (!ready) return tl::unexpected(ready.error());
    return database;
  }

  ~SqliteDatabase() override {
    for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(handle_);
  }

  Result<void> run(const std::string& statements) override {
    if (sqlite3_exec(handle_, statements.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      return failed("write");
    return {};
  }

  Result<std::vector<SqlRow>> query(const std::string& text,
                                    const std::vector<SqlValue>& values) override {
    const auto statement = prepared(text, values);
    if (!statement) return tl::unexpected(statement.error());
    std::vector<SqlRow> rows;
    int status = SQLITE_ROW;
    while ((status = sqlite3_step(*statement)) == SQLITE_ROW) {
      SqlRow& row = rows.emplace_back();
      for (int column = 0; column < sqlite3_column_count(*statement); ++column) {
        const auto* field = reinterpret_cast<const char*>(sqlite3_column_text(*statement, column));
        if (field == nullptr)
          row.emplace_back(std::nullopt);
        else
          row.emplace_back(std::string(
              field, static_cast<std::size_t>(sqlite3_column_bytes(*statement, column))));
      }
    }
    sqlite3_reset(*statement);
    if (status != SQLITE_DONE) return tl::unexpected(failed("read").error());
    return rows;
  }

  Result<std::vector<std::uint64_t>> execute_many(
      const std::string& text, const std::vector<std::vector<SqlValue>>& rows) override {
    std::vector<std::uint64_t> changed;
    for (const auto& values : rows) {
      const auto statement = prepared(text, values);
      if (!statement) return tl::unexpected(statement.error());
      const int before = sqlite3_total_changes(handle_);
      const int status = sqlite3_step(*statement);
      sqlite3_reset(*statement);
      if (status != SQLITE_DONE) return tl::unexpected(failed("write").error());
      changed.push_back(static_cast<std::uint64_t>(sqlite3_total_changes(handle_) - before));
    }
    return changed;
  }

  Result<void> begin_writing() override { return run("BEGIN IMMEDIATE"); }

  std::string in_dialect(std::string text) const override {
    text = with_all_replaced(std::move(text), "${int}", "INTEGER");
    text = with_all_replaced(std::move(text), "${key}", "INTEGER PRIMARY KEY AUTOINCREMENT");
    return with_all_replaced(std::move(text), "${strict}", "STRICT");
  }

  std::string append_only(const std::string& table, const std::string& same) const override {
    // INSERT OR REPLACE would delete without a trigger: nothing is inserted over a row that is
    // there.
    std::string text = "CREATE TRIGGER " + table + "_no_replace BEFORE INSERT ON " + table +
                       " WHEN EXISTS (SELECT 1 FROM " + table + " WHERE " + same +
                       ") BEGIN SELECT RAISE(IGNORE); END;\n";
    const std::string refusal = " ON " + table + " BEGIN SELECT RAISE(ABORT, '" + table +
                                " are never changed or deleted'); ";
    for (const char* change : {"UPDATE", "DELETE"}) {
      text.append("CREATE TRIGGER ").append(table).append("_no_").append(change);
      text.append(" BEFORE ").append(change).append(refusal).append("END;\n");
    }
    return text;
  }

 private:
  Result<void> failed(const char* what) {
    const std::string message = sqlite3_errmsg(handle_);
    const int code = sqlite3_extended_errcode(handle_) & 0xFF;
    return failure("cannot " + std::string(what) + " the ledger " + path_ + ": " + message,
                   code == SQLITE_FULL || code == SQLITE_IOERR
                       ? "make room: what was written before is whole"
                   : code == SQLITE_BUSY ? "another process holds it: try again"
                                         : "");
  }

  Result<sqlite3_stmt*> prepared(const std::string& text, const std::vector<SqlValue>& values) {
    sqlite3_stmt*& statement = statements_[text];
    if (statement == nullptr &&
        sqlite3_prepare_v3(handle_, text.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement,
                           nullptr) != SQLITE_OK)
      return tl::unexpected(failed("use").error());
    int index = 0;
    for (const SqlValue& value : values) {
      ++index;
      if (const auto* number = std::get_if<std::int64_t>(&value))
        sqlite3_bind_int64(statement, index, *number);
      else if (const auto* words = std::get_if<std::string>(&value))
        sqlite3_bind_text(statement, index, words->data(), static_cast<int>(words->size()),
                          SQLITE_TRANSIENT);
      else
        sqlite3_bind_null(statement, index);
    }
    return statement;
  }

  std::string path_;
  sqlite3* handle_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const std::string& path, bool create) {
  return SqliteDatabase::open(path, create);
}

std::string with_all_replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace bops
