#include <cassert>

#include "usage/ledger.hpp"

namespace bops {
namespace {

constexpr const char* kVersion1 = R"(
CREATE TABLE sources (n ${key}, source TEXT NOT NULL UNIQUE) ${strict};
CREATE TABLE records (
  n ${key},
  source_n ${int} NOT NULL REFERENCES sources (n),
  id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  line TEXT NOT NULL,
  received_ns ${int} NOT NULL,
  seq ${int},
  subject TEXT NOT NULL,
  meter TEXT,
  quantity ${int},
  start_ns ${int} NOT NULL,
  end_ns ${int} NOT NULL,
  reverses_source TEXT,
  reverses_id TEXT,
  UNIQUE (source_n, id, sha256)) ${strict};
CREATE INDEX records_in_chains ON records (source_n, seq, n);
CREATE INDEX records_reversals ON records (reverses_source, reverses_id)
  WHERE reverses_source IS NOT NULL;
CREATE TABLE quarantine (
  n ${key},
  file TEXT NOT NULL,
  line ${int} NOT NULL,
  reason TEXT NOT NULL,
  bytes TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  received_ns ${int} NOT NULL,
  UNIQUE (file, line, sha256, reason)) ${strict};
CREATE TABLE checkpoints (
  n ${key},
  origin TEXT NOT NULL,
  line TEXT NOT NULL UNIQUE) ${strict};
)";

// Version 2 names disputed keys, so that readers need not look for them, and hands over.
constexpr const char* kVersion2 = R"(
CREATE TABLE disputes (
  source_n ${int} NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (source_n, id)) ${strict};
INSERT INTO disputes SELECT source_n, id FROM records GROUP BY source_n, id HAVING count(*) > 1;
CREATE TABLE cursors (sink TEXT PRIMARY KEY, n ${int} NOT NULL) ${strict};
CREATE TABLE imports (
  file TEXT PRIMARY KEY,
  identity TEXT NOT NULL,
  at_byte ${int} NOT NULL,
  lines ${int} NOT NULL,
  done ${int} NOT NULL) ${strict};
)";

// Version 3 keeps what people decided of disputed keys; an empty sha256: no record counts. up_to is
// the number of the last copy that was there.
constexpr const char* kVersion3 = R"(
CREATE TABLE resolutions (
  n ${key},
  source_n ${int} NOT NULL,
  id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  reason TEXT NOT NULL,
  resolved_ns ${int} NOT NULL,
  up_to ${int} NOT NULL) ${strict};
CREATE INDEX resolutions_of_keys ON resolutions (source_n, id, n);
)";

}  // namespace

std::string ledger_migration(const Database& database, int from) {
  assert(from >= 0 && from < Ledger::kSchemaVersion);
  std::string text;
  if (from == 0) {
    text =
        "CREATE TABLE bops_ledger (version ${int} NOT NULL) ${strict};\n"
        "INSERT INTO bops_ledger VALUES (1);\n";
    text += kVersion1;
    text += database.append_only("sources", "n = NEW.n OR source = NEW.source");
    text += database.append_only(
        "records",
        "n = NEW.n OR (source_n = NEW.source_n AND id = NEW.id AND sha256 = NEW.sha256)");
    text += database.append_only("quarantine",
                                 "n = NEW.n OR (file = NEW.file AND line = NEW.line AND sha256 = "
                                 "NEW.sha256 AND reason = NEW.reason)");
    text += database.append_only("checkpoints", "n = NEW.n OR line = NEW.line");
  } else if (from == 2) {
    text = kVersion3;
    text += database.append_only("resolutions", "n = NEW.n");
    text += "UPDATE bops_ledger SET version = 3;\n";
  } else {
    text = kVersion2;
    text += database.append_only("disputes", "source_n = NEW.source_n AND id = NEW.id");
    text += "UPDATE bops_ledger SET version = 2;\n";
  }
  return database.in_dialect(text);
}

}  // namespace bops
