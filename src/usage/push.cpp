#include "usage/push.hpp"

namespace bops {
namespace {

constexpr std::size_t kAtOnce = 1000;

class LedgerRecordSink final : public RecordSink {
 public:
  explicit LedgerRecordSink(std::unique_ptr<Ledger> ledger) : ledger_(std::move(ledger)) {}

  Result<void> send(const std::vector<StoredRecord>& records) override {
    // When each was received stays: it decides what is late.
    for (std::size_t i = 0; i < records.size();) {
      LedgerBatch batch;
      batch.received = records[i].received;
      for (; i < records.size() && records[i].received == batch.received; ++i) {
        auto record = parse_usage_line(records[i].line);
        if (!record) return tl::unexpected(record.error());
        batch.records.push_back({records[i].line, *std::move(record)});
      }
      if (auto appended = ledger_->append(batch); !appended)
        return tl::unexpected(appended.error());
    }
    return {};
  }

  Result<void> send(const std::vector<Checkpoint>& checkpoints) override {
    LedgerBatch batch;
    batch.checkpoints = checkpoints;
    if (auto appended = ledger_->append(batch); !appended) return tl::unexpected(appended.error());
    return {};
  }

 private:
  std::unique_ptr<Ledger> ledger_;
};

}  // namespace

std::string without_secrets(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::size_t host = scheme + 3;
  const std::size_t path = std::min(url.find('/', host), url.size());
  const std::size_t at = url.substr(0, path).rfind('@');
  std::string plain =
      at == std::string::npos || at < host ? url : url.substr(0, host) + url.substr(at + 1);
  return plain.substr(0, plain.find('?'));
}

Result<std::unique_ptr<RecordSink>> open_record_sink(const std::string& url) {
  if (url.starts_with("kafka://")) return open_kafka_sink(url);
  if (!names_ledger(url))
    return failure("cannot push to " + without_secrets(url),
                   "name postgresql://HOST/DATABASE or kafka://HOST:PORT/TOPIC");
  auto ledger = Ledger::open(url, true);
  if (!ledger) return tl::unexpected(ledger.error());
  return std::make_unique<LedgerRecordSink>(*std::move(ledger));
}

Result<std::uint64_t> push_records(Ledger& ledger, RecordSink& sink, const std::string& sink_name) {
  const auto cursor = ledger.cursor(sink_name);
  if (!cursor) return tl::unexpected(cursor.error());
  std::uint64_t sent = 0;
  for (std::int64_t last = *cursor;;) {
    const auto records = ledger.after(last, kAtOnce);
    if (!records) return tl::unexpected(records.error());
    if (records->empty()) break;
    if (auto taken = sink.send(*records); !taken) return tl::unexpected(taken.error());
    last = records->back().n;
    // Behind what is kept there: a kill in between sends these again, and loses none.
    if (auto kept = ledger.set_cursor(sink_name, last); !kept) return tl::unexpected(kept.error());
    sent += records->size();
  }
  const auto checkpoints = ledger.checkpoints();
  if (!checkpoints) return tl::unexpected(checkpoints.error());
  if (auto taken = sink.send(*checkpoints); !taken) return tl::unexpected(taken.error());
  return sent;
}

}  // namespace bops
