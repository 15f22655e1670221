// A PostgreSQL server of a test's own, on the loopback.
#pragma once

#include <memory>
#include <string>

#include "tests/harness/subprocess.hpp"

namespace bops::harness {

class PostgresqlServer {
 public:
  /// Starts one in a directory of its own, as another user where this one is root. Null, with the
  /// reason, where PostgreSQL is not installed.
  [[nodiscard]] static std::unique_ptr<PostgresqlServer> start(std::string& why_not);
  PostgresqlServer(const PostgresqlServer&) = delete;
  PostgresqlServer& operator=(const PostgresqlServer&) = delete;
  ~PostgresqlServer();

  /// postgresql://... of an empty database.
  [[nodiscard]] std::string url() const { return url_; }

 private:
  PostgresqlServer() = default;
  TemporaryDirectory directory_;
  std::unique_ptr<Subprocess> server_;
  std::string url_;
};

}  // namespace bops::harness
