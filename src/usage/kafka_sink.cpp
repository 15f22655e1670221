#include <librdkafka/rdkafka.h>

#include <array>

#include "platform/shared_library.hpp"
#include "usage/push.hpp"

namespace bops {
namespace {

constexpr int kPatienceMs = 130'000;

struct Librdkafka {
  decltype(&::rd_kafka_conf_new) rd_kafka_conf_new = nullptr;
  decltype(&::rd_kafka_conf_set) rd_kafka_conf_set = nullptr;
  decltype(&::rd_kafka_conf_set_opaque) rd_kafka_conf_set_opaque = nullptr;
  decltype(&::rd_kafka_conf_set_dr_msg_cb) rd_kafka_conf_set_dr_msg_cb = nullptr;
  decltype(&::rd_kafka_conf_set_log_cb) rd_kafka_conf_set_log_cb = nullptr;
  decltype(&::rd_kafka_conf_destroy) rd_kafka_conf_destroy = nullptr;
  decltype(&::rd_kafka_new) rd_kafka_new = nullptr;
  decltype(&::rd_kafka_producev) rd_kafka_producev = nullptr;
  decltype(&::rd_kafka_poll) rd_kafka_poll = nullptr;
  decltype(&::rd_kafka_flush) rd_kafka_flush = nullptr;
  decltype(&::rd_kafka_err2str) rd_kafka_err2str = nullptr;
  decltype(&::rd_kafka_destroy) rd_kafka_destroy = nullptr;
};

Result<Librdkafka> load_librdkafka() {
  Librdkafka kafka;
  SharedLibrary library("librdkafka.so.1");
  library.find("rd_kafka_conf_new", kafka.rd_kafka_conf_new)
      .find("rd_kafka_conf_set", kafka.rd_kafka_conf_set)
      .find("rd_kafka_conf_set_opaque", kafka.rd_kafka_conf_set_opaque)
      .find("rd_kafka_conf_set_dr_msg_cb", kafka.rd_kafka_conf_set_dr_msg_cb)
      .find("rd_kafka_conf_set_log_cb", kafka.rd_kafka_conf_set_log_cb)
      .find("rd_kafka_conf_destroy", kafka.rd_kafka_conf_destroy)
      .find("rd_kafka_new", kafka.rd_kafka_new)
      .find("rd_kafka_producev", kafka.rd_kafka_producev)
      .find("rd_kafka_poll", kafka.rd_kafka_poll)
      .find("rd_kafka_flush", kafka.rd_kafka_flush)
      .find("rd_kafka_err2str", kafka.rd_kafka_err2str)
      .find("rd_kafka_destroy", kafka.rd_kafka_destroy);
  if (auto complete = library.complete("librdkafka1"); !complete)
    return tl::unexpected(complete.error());
  return kafka;
}

class KafkaSink final : public RecordSink {
 public:
  static Result<std::unique_ptr<RecordSink>> open(const Librdkafka& kafka,
                                                  const std::string& brokers,
                                                  const std::string& topic) {
    auto sink = std::make_unique<KafkaSink>(kafka, topic);
    rd_kafka_conf_t* settings = kafka.rd_kafka_conf_new();
    std::array<char, 512> why{};
    for (const auto& [name, value] :
         {std::pair{"bootstrap.servers", brokers.c_str()}, std::pair{"enable.idempotence", "true"},
          std::pair{"message.timeout.ms", "120000"}})
      if (kafka.rd_kafka_conf_set(settings, name, value, why.data(), why.size()) !=
          RD_KAFKA_CONF_OK) {
        kafka.rd_kafka_conf_destroy(settings);
        return failure(std::string("cannot set up Kafka: ") + why.data());
      }
    kafka.rd_kafka_conf_set_opaque(settings, sink.get());
    kafka.rd_kafka_conf_set_dr_msg_cb(settings, delivered);
    kafka.rd_kafka_conf_set_log_cb(settings, nullptr);
    sink->producer_ = kafka.rd_kafka_new(RD_KAFKA_PRODUCER, settings, why.data(), why.size());
    if (sink->producer_ == nullptr) {
      kafka.rd_kafka_conf_destroy(settings);
      return failure(std::string("cannot set up Kafka: ") + why.data());
    }
    return sink;
  }

  KafkaSink(const Librdkafka& kafka, std::string topic) : kafka_(kafka), topic_(std::move(topic)) {}
  ~KafkaSink() override {
    if (producer_ != nullptr) kafka_.rd_kafka_destroy(producer_);
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
        error = kafka_.rd_kafka_producev(
            producer_, RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_KEY(key.data(), key.size()),
            RD_KAFKA_V_VALUE(const_cast<char*>(stored.line.data()), stored.line.size()),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        kafka_.rd_kafka_poll(producer_, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
      } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(kafka_.rd_kafka_err2str(error));
    }
    kafka_.rd_kafka_flush(producer_, kPatienceMs);
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
      self->problem_ = self->kafka_.rd_kafka_err2str(message->err);
  }

  Result<void> failed(const std::string& why) const {
    return failure("cannot push to the Kafka topic " + topic_ + ": " + why,
                   "push again: it goes on where it was");
  }

  const Librdkafka& kafka_;
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
  static const Result<Librdkafka> kafka = load_librdkafka();
  if (!kafka) return tl::unexpected(kafka.error());
  return KafkaSink::open(*kafka, rest.substr(0, slash), rest.substr(slash + 1));
}

}  // namespace bops
