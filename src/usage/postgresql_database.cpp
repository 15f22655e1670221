#include <libpq-fe.h>

#include <map>

#include "platform/shared_library.hpp"
#include "usage/database.hpp"

namespace bops {
namespace {

struct Libpq {
  decltype(&::PQclear) PQclear = nullptr;
  decltype(&::PQcmdTuples) PQcmdTuples = nullptr;
  decltype(&::PQconnectdb) PQconnectdb = nullptr;
  decltype(&::PQenterPipelineMode) PQenterPipelineMode = nullptr;
  decltype(&::PQerrorMessage) PQerrorMessage = nullptr;
  decltype(&::PQexec) PQexec = nullptr;
  decltype(&::PQexecParams) PQexecParams = nullptr;
  decltype(&::PQexitPipelineMode) PQexitPipelineMode = nullptr;
  decltype(&::PQfinish) PQfinish = nullptr;
  decltype(&::PQgetResult) PQgetResult = nullptr;
  decltype(&::PQgetisnull) PQgetisnull = nullptr;
  decltype(&::PQgetlength) PQgetlength = nullptr;
  decltype(&::PQgetvalue) PQgetvalue = nullptr;
  decltype(&::PQnfields) PQnfields = nullptr;
  decltype(&::PQntuples) PQntuples = nullptr;
  decltype(&::PQpipelineSync) PQpipelineSync = nullptr;
  decltype(&::PQprepare) PQprepare = nullptr;
  decltype(&::PQresultErrorMessage) PQresultErrorMessage = nullptr;
  decltype(&::PQresultStatus) PQresultStatus = nullptr;
  decltype(&::PQsendQueryPrepared) PQsendQueryPrepared = nullptr;
  decltype(&::PQsetNoticeProcessor) PQsetNoticeProcessor = nullptr;
  decltype(&::PQstatus) PQstatus = nullptr;
};

Result<Libpq> load_libpq() {
  Libpq pq;
  SharedLibrary library("libpq.so.5");
  library.find("PQclear", pq.PQclear)
      .find("PQcmdTuples", pq.PQcmdTuples)
      .find("PQconnectdb", pq.PQconnectdb)
      .find("PQenterPipelineMode", pq.PQenterPipelineMode)
      .find("PQerrorMessage", pq.PQerrorMessage)
      .find("PQexec", pq.PQexec)
      .find("PQexecParams", pq.PQexecParams)
      .find("PQexitPipelineMode", pq.PQexitPipelineMode)
      .find("PQfinish", pq.PQfinish)
      .find("PQgetResult", pq.PQgetResult)
      .find("PQgetisnull", pq.PQgetisnull)
      .find("PQgetlength", pq.PQgetlength)
      .find("PQgetvalue", pq.PQgetvalue)
      .find("PQnfields", pq.PQnfields)
      .find("PQntuples", pq.PQntuples)
      .find("PQpipelineSync", pq.PQpipelineSync)
      .find("PQprepare", pq.PQprepare)
      .find("PQresultErrorMessage", pq.PQresultErrorMessage)
      .find("PQresultStatus", pq.PQresultStatus)
      .find("PQsendQueryPrepared", pq.PQsendQueryPrepared)
      .find("PQsetNoticeProcessor", pq.PQsetNoticeProcessor)
      .find("PQstatus", pq.PQstatus);
  if (auto complete = library.complete("libpq5"); !complete)
    return tl::unexpected(complete.error());
  return pq;
}

using Answer = std::unique_ptr<PGresult, decltype(&::PQclear)>;

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
  PostgresqlDatabase(const Libpq& pq, PGconn* connection) : pq_(pq), connection_(connection) {}
  ~PostgresqlDatabase() override { pq_.PQfinish(connection_); }

  Result<void> connected() {
    if (pq_.PQstatus(connection_) == CONNECTION_OK) {
      pq_.PQsetNoticeProcessor(
          connection_, [](void*, const char*) {}, nullptr);
      return run("SET synchronous_commit = on");
    }
    return failed("connect to");
  }

  Result<void> run(const std::string& statements) override {
    const Answer answer(pq_.PQexec(connection_, statements.c_str()), pq_.PQclear);
    return check(answer.get());
  }

  Result<std::vector<SqlRow>> query(const std::string& statement,
                                    const std::vector<SqlValue>& values) override {
    const Parameters parameters(values);
    const Answer answer(pq_.PQexecParams(connection_, statement.c_str(), parameters.size(), nullptr,
                                         parameters.data(), nullptr, nullptr, 0),
                        pq_.PQclear);
    if (auto right = check(answer.get()); !right) return tl::unexpected(right.error());
    std::vector<SqlRow> rows(static_cast<std::size_t>(pq_.PQntuples(answer.get())));
    for (int row = 0; row < pq_.PQntuples(answer.get()); ++row)
      for (int column = 0; column < pq_.PQnfields(answer.get()); ++column) {
        SqlRow& fields = rows[static_cast<std::size_t>(row)];
        if (pq_.PQgetisnull(answer.get(), row, column) != 0)
          fields.emplace_back(std::nullopt);
        else
          fields.emplace_back(
              std::string(pq_.PQgetvalue(answer.get(), row, column),
                          static_cast<std::size_t>(pq_.PQgetlength(answer.get(), row, column))));
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
      if (pq_.PQenterPipelineMode(connection_) != 1) return tl::unexpected(failed("write").error());
      for (std::size_t i = begin; i < end; ++i) {
        const Parameters parameters(rows[i]);
        pq_.PQsendQueryPrepared(connection_, name.c_str(), parameters.size(), parameters.data(),
                                nullptr, nullptr, 0);
      }
      pq_.PQpipelineSync(connection_);
      std::string wrong;
      for (std::size_t i = begin; i < end; ++i) {
        for (;;) {
          const Answer answer(pq_.PQgetResult(connection_), pq_.PQclear);
          if (!answer) break;
          const auto status = pq_.PQresultStatus(answer.get());
          if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
            changed.push_back(std::strtoull(pq_.PQcmdTuples(answer.get()), nullptr, 10));
          else if (wrong.empty())
            wrong = pq_.PQresultErrorMessage(answer.get());
          if (pq_.PQstatus(connection_) != CONNECTION_OK) break;
        }
        if (pq_.PQstatus(connection_) != CONNECTION_OK)
          return tl::unexpected(failed("write").error());
      }
      const Answer sync(pq_.PQgetResult(connection_), pq_.PQclear);
      if (pq_.PQexitPipelineMode(connection_) != 1 || !wrong.empty())
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
                       " the PostgreSQL ledger: " + first_line(pq_.PQerrorMessage(connection_)),
                   "check that the server runs, and that the URL names a database of yours");
  }

  Result<void> check(const PGresult* answer) {
    const auto status = pq_.PQresultStatus(answer);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
      return {};
    return failed("use");
  }

  /// Empty if the statement cannot be prepared.
  std::string prepared_name(const std::string& statement) {
    std::string& name = names_[statement];
    if (!name.empty()) return name;
    const std::string fresh = "s" + std::to_string(names_.size());
    const Answer answer(pq_.PQprepare(connection_, fresh.c_str(), statement.c_str(), 0, nullptr),
                        pq_.PQclear);
    if (pq_.PQresultStatus(answer.get()) == PGRES_COMMAND_OK) name = fresh;
    return name;
  }

  const Libpq& pq_;
  PGconn* connection_;
  std::map<std::string, std::string> names_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_postgresql(const std::string& url) {
  static const Result<Libpq> pq = load_libpq();
  if (!pq) return tl::unexpected(pq.error());
  auto database = std::make_unique<PostgresqlDatabase>(*pq, pq->PQconnectdb(url.c_str()));
  if (auto ready = database->connected(); !ready) return tl::unexpected(ready.error());
  return database;
}

}  // namespace bops
