#include <libpq-fe.h>

#include <map>

#include "usage/database.hpp"

namespace bops {
namespace {

using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

/// Values as libpq takes them: text, null where there is none.
class Parameters {
 public:
  explicit Parameters(const std::vector<SqlValue>& values) {
    texts_.reserve(values.size());
    for (const SqlValue& value : values) {
      if (const auto* number = std::get_if<std::int64_t>(&value))
        pointers_.push_back(texts_.emplace_back(std::to_string(*number)).c_str());
      else if (const auto* words = std::get_if<std::string>(&value))
        pointers_.push_back(words->c_str());
      else
        pointers_.push_back(nullptr);
    }
  }
  [[nodiscard]] const char* const* data() const { return pointers_.data(); }
  [[nodiscard]] int size() const { return static_cast<int>(pointers_.size()); }

 private:
  std::vector<std::string> texts_;
  std::vector<const char*> pointers_;
};

class PostgresqlDatabase final : public Database {
 public:
  explicit PostgresqlDatabase(PGconn* connection) : connection_(connection) {}
  ~PostgresqlDatabase() override { PQfinish(connection_); }

  Result<void> connected() {
    if (PQstatus(connection_) == CONNECTION_OK) {
      PQsetNoticeProcessor(
          connection_, [](void*, const char*) {}, nullptr);
      return run("SET synchronous_commit = on");
    }
    return failed("connect to");
  }

  Result<void> run(const std::string& statements) override {
    const Answer answer(PQexec(connection_, statements.c_str()), PQclear);
    return check(answer.get());
  }

  Result<std::vector<SqlRow>> query(const std::string& statement,
                                    const std::vector<SqlValue>& values) override {
    const Parameters parameters(values);
    const Answer answer(PQexecParams(connection_, statement.c_str(), parameters.size(), nullptr,
                                     parameters.data(), nullptr, nullptr, 0),
                        PQclear);
    if (auto right = check(answer.get()); !right) return tl::unexpected(right.error());
    std::vector<SqlRow> rows(static_cast<std::size_t>(PQntuples(answer.get())));
    for (int row = 0; row < PQntuples(answer.get()); ++row)
      for (int column = 0; column < PQnfields(answer.get()); ++column) {
        SqlRow& fields = rows[static_cast<std::size_t>(row)];
        if (PQgetisnull(answer.get(), row, column) != 0)
          fields.emplace_back(std::nullopt);
        else
          fields.emplace_back(
              std::string(PQgetvalue(answer.get(), row, column),
                          static_cast<std::size_t>(PQgetlength(answer.get(), row, column))));
      }
    return rows;
  }

  /// In pipelines: one round trip for many rows.
  Result<std::vector<std::uint64_t>> execute_many(
      const std::string& statement, const std::vector<std::vector<SqlValue>>& rows) override {
    constexpr std::size_t kAtOnce = 256;  // so few that neither side waits for a full buffer
    std::vector<std::uint64_t> changed;
    if (rows.empty()) return changed;
    const std::string name = prepared_name(statement);
    if (name.empty()) return tl::unexpected(failed("use").error());
    for (std::size_t begin = 0; begin < rows.size(); begin += kAtOnce) {
      const std::size_t end = std::min(rows.size(), begin + kAtOnce);
      if (PQenterPipelineMode(connection_) != 1) return tl::unexpected(failed("write").error());
      for (std::size_t i = begin; i < end; ++i) {
        const Parameters parameters(rows[i]);
        PQsendQueryPrepared(connection_, name.c_str(), parameters.size(), parameters.data(),
                            nullptr, nullptr, 0);
      }
      PQpipelineSync(connection_);
      std::string wrong;
      for (std::size_t i = begin; i < end; ++i) {
        for (;;) {
          const Answer answer(PQgetResult(connection_), PQclear);
          if (!answer) break;
          const auto status = PQresultStatus(answer.get());
          if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
            changed.push_back(std::strtoull(PQcmdTuples(answer.get()), nullptr, 10));
          else if (wrong.empty())
            wrong = PQresultErrorMessage(answer.get());
          if (PQstatus(connection_) != CONNECTION_OK) break;
        }
        if (PQstatus(connection_) != CONNECTION_OK) return tl::unexpected(failed("write").error());
      }
      const Answer sync(PQgetResult(connection_), PQclear);
      if (PQexitPipelineMode(connection_) != 1 || !wrong.empty())
        return failure("cannot write the PostgreSQL ledger: " + first_line(wrong));
    }
    return changed;
  }

  Result<void> begin_writing() override {
    if (auto begun = run("BEGIN"); !begun) return begun;
    // Writers in turn: record numbers then rise as transactions end, and a cursor misses none.
    return run("SELECT pg_advisory_xact_lock(5277217)");
  }

  std::string in_dialect(std::string text) const override {
    text = with_all_replaced(std::move(text), "${int}", "BIGINT");
    text = with_all_replaced(std::move(text), "${key}",
                             "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY");
    return with_all_replaced(std::move(text), "${strict}", "");
  }

  std::string append_only(const std::string& table, const std::string& /*same*/) const override {
    return "CREATE OR REPLACE FUNCTION bops_never_changed() RETURNS trigger LANGUAGE plpgsql AS "
           "$$ BEGIN RAISE EXCEPTION '% are never changed or deleted', TG_TABLE_NAME; END $$;\n"
           "CREATE TRIGGER " +
           table + "_append_only BEFORE UPDATE OR DELETE ON " + table +
           " FOR EACH ROW EXECUTE FUNCTION bops_never_changed();\nCREATE TRIGGER " + table +
           "_no_truncate BEFORE TRUNCATE ON " + table +
           " FOR EACH STATEMENT EXECUTE FUNCTION bops_never_changed();\n";
  }

 private:
  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  Result<void> failed(const char* what) {
    return failure("cannot " + std::string(what) +
                       " the PostgreSQL ledger: " + first_line(PQerrorMessage(connection_)),
                   "check that the server runs, and that the URL names a database of yours");
  }

  Result<void> check(const PGresult* answer) {
    const auto status = PQresultStatus(answer);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
      return {};
    return failed("use");
  }

  /// Empty if the statement cannot be prepared.
  std::string prepared_name(const std::string& statement) {
    std::string& name = names_[statement];
    if (!name.empty()) return name;
    const std::string fresh = "s" + std::to_string(names_.size());
    const Answer answer(PQprepare(connection_, fresh.c_str(), statement.c_str(), 0, nullptr),
                        PQclear);
    if (PQresultStatus(answer.get()) == PGRES_COMMAND_OK) name = fresh;
    return name;
  }

  PGconn* connection_;
  std::map<std::string, std::string> names_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_postgresql(const std::string& url) {
  auto database = std::make_unique<PostgresqlDatabase>(PQconnectdb(url.c_str()));
  if (auto ready = database->connected(); !ready) return tl::unexpected(ready.error());
  return database;
}

}  // namespace bops
