// Hands the records of a ledger over to another system.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "usage/ledger.hpp"

namespace bops {

/// Takes records, in order. At least once: after a kill the last ones come again, and the key of
/// each tells.
class RecordSink {
 public:
  RecordSink() = default;
  RecordSink(const RecordSink&) = delete;
  RecordSink& operator=(const RecordSink&) = delete;
  virtual ~RecordSink() = default;
  /// Returns when all of them are kept there.
  [[nodiscard]] virtual Result<void> send(const std::vector<StoredRecord>& records) = 0;
  /// Checkpoints, where the system keeps them.
  [[nodiscard]] virtual Result<void> send(const std::vector<Checkpoint>& checkpoints) = 0;
};

/// postgresql://..., or kafka://HOST:PORT[,HOST:PORT...]/TOPIC where this build has librdkafka.
[[nodiscard]] Result<std::unique_ptr<RecordSink>> open_record_sink(const std::string& url);

/// kafka://...; fails where this build is without librdkafka.
[[nodiscard]] Result<std::unique_ptr<RecordSink>> open_kafka_sink(const std::string& url);

/// A URL without its user and password.
[[nodiscard]] std::string without_secrets(const std::string& url);

/// Sends all that arrived since the last time, and keeps in the ledger how far the sink has come.
/// The number of records sent.
[[nodiscard]] Result<std::uint64_t> push_records(Ledger& ledger, RecordSink& sink,
                                                 const std::string& sink_name);

}  // namespace bops
