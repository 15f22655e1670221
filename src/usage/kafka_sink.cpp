#include <librdkafka/rdkafka.h>

#include <array>

#include "usage/push.hpp"

namespace bops {
namespace {

constexpr int kPatienceMs = 130'000;

class KafkaSink final : public RecordSink {
 public:
  static Result<std::unique_ptr<RecordSink>> open(const std::string& brokers,
                                                  const std::string& topic) {
    auto sink = std::make_unique<KafkaSink>();
    sink->topic_ = topic;
    rd_kafka_conf_t* settings = rd_kafka_conf_new();
    std::array<char, 512> why{};
    for (const auto& [name, value] :
         {std::pair{"bootstrap.servers", brokers.c_str()}, std::pair{"enable.idempotence", "true"},
          std::pair{"message.timeout.ms", "120000"}})
      if (rd_kafka_conf_set(settings, name, value, why.data(), why.size()) != RD_KAFKA_CONF_OK) {
        rd_kafka_conf_destroy(settings);
        return failure(std::string("cannot set up Kafka: ") + why.data());
      }
    rd_kafka_conf_set_opaque(settings, sink.get());
    rd_kafka_conf_set_dr_msg_cb(settings, delivered);
    rd_kafka_conf_set_log_cb(settings, nullptr);
    sink->producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, settings, why.data(), why.size());
    if (sink->producer_ == nullptr) {
      rd_kafka_conf_destroy(settings);
      return failure(std::string("cannot set up Kafka: ") + why.data());
    }
    return sink;
  }

  ~KafkaSink() override {
    if (producer_ != nullptr) rd_kafka_destroy(producer_);
  }

  /// One message for each event; the key is the source, so that a chain stays in order.
  Result<void> send(const std::vector<StoredRecord>& records) override {
    kept_ = 0;
    problem_.clear();
    for (const StoredRecord& stored : records) {
      const auto record = parse_usage_line(stored.line);
      if (!record) return tl::unexpected(record.error());
      const std::string& key = record->key.source;
      rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
      do {
        error = rd_kafka_producev(
            producer_, RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_KEY(key.data(), key.size()),
            RD_KAFKA_V_VALUE(const_cast<char*>(stored.line.data()), stored.line.size()),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        rd_kafka_poll(producer_, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
      } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(rd_kafka_err2str(error));
    }
    rd_kafka_flush(producer_, kPatienceMs);
    if (kept_ == records.size()) return {};
    return failed(problem_.empty() ? "the brokers do not answer" : problem_);
  }

  Result<void> send(const std::vector<Checkpoint>& /*checkpoints*/) override { return {}; }

 private:
  static void delivered(rd_kafka_t* /*producer*/, const rd_kafka_message_t* message, void* sink) {
    auto* self = static_cast<KafkaSink*>(sink);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
      ++self->kept_;
    else
      self->problem_ = rd_kafka_err2str(message->err);
  }

  Result<void> failed(const std::string& why) const {
    return failure("cannot push to the Kafka topic " + topic_ + ": " + why,
                   "push again: it goes on where it was");
  }

  std::string topic_;
  rd_kafka_t* producer_ = nullptr;
  std::size_t kept_ = 0;
  std::string problem_;
};

}  // namespace

Result<std::unique_ptr<RecordSink>> open_kafka_sink(const std::string& url) {
  const std::string rest = url.substr(std::string("kafka://").size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == rest.size())
    return failure(url + " is not kafka://HOST:PORT/TOPIC", "name a broker and a topic");
  return KafkaSink::open(rest.substr(0, slash), rest.substr(slash + 1));
}

}  // namespace bops
