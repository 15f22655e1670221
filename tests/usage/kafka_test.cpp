// bops usage push to Kafka: librdkafka's own brokers, in this process.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <fstream>
#include <set>

#include "tests/harness/subprocess.hpp"
#include "tests/usage/sample_usage.hpp"

namespace bops {
namespace {

rd_kafka_t* handle(rd_kafka_type_t type, const std::map<std::string, std::string>& settings) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  std::array<char, 512> why{};
  for (const auto& [name, value] : settings)
    EXPECT_EQ(rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()),
              RD_KAFKA_CONF_OK)
        << why.data();
  rd_kafka_conf_set_log_cb(conf, nullptr);
  return rd_kafka_new(type, conf, why.data(), why.size());
}

/// Key and value of the messages of a topic, until there are `count`.
std::vector<std::pair<std::string, std::string>> consume(const std::string& brokers,
                                                         const std::string& topic,
                                                         std::size_t count) {
  rd_kafka_t* consumer = handle(
      RD_KAFKA_CONSUMER,
      {{"bootstrap.servers", brokers}, {"group.id", "test"}, {"auto.offset.reset", "earliest"}});
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, topic.c_str(), RD_KAFKA_PARTITION_UA);
  EXPECT_EQ(rd_kafka_subscribe(consumer, topics), RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_topic_partition_list_destroy(topics);
  std::vector<std::pair<std::string, std::string>> messages;
  for (int tries = 0; tries < 2000 && messages.size() < count; ++tries) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 100);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
      messages.emplace_back(std::string(static_cast<const char*>(message->key), message->key_len),
                            std::string(static_cast<const char*>(message->payload), message->len));
    rd_kafka_message_destroy(message);
  }
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return messages;
}

TEST(KafkaPush, sends_each_line_with_its_source_as_key_and_goes_on_where_it_was) {
  const harness::TemporaryDirectory directory;
  rd_kafka_t* owner = handle(RD_KAFKA_PRODUCER, {});
  ASSERT_NE(owner, nullptr);
  rd_kafka_mock_cluster_t* cluster = rd_kafka_mock_cluster_new(owner, 1);
  ASSERT_NE(cluster, nullptr);
  const std::string brokers = rd_kafka_mock_cluster_bootstraps(cluster);
  ASSERT_EQ(rd_kafka_mock_topic_create(cluster, "usage", 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);

  std::vector<std::string> lines;
  for (const UsageRecord& record : samples::usage_chain(30, "/bops/a/b/c"))
    lines.push_back(usage_line(record));
  const auto push = [&](std::size_t first, std::size_t last) {
    const std::string file = directory / ("r" + std::to_string(first) + ".jsonl");
    {
      std::ofstream records(file);
      for (std::size_t i = first; i < last; ++i) records << lines[i] << '\n';
    }
    EXPECT_EQ(harness::run({harness::bops_program(), "usage", "import", file, "--ledger",
                            directory / "l.db"})
                  .code,
              0);
    const auto pushed = harness::run({harness::bops_program(), "usage", "push", directory / "l.db",
                                      "--to", "kafka://" + brokers + "/usage"});
    EXPECT_EQ(pushed.code, 0) << pushed.errors;
  };
  push(0, 20);
  push(20, 30);
  const auto messages = consume(brokers, "usage", 30);
  ASSERT_EQ(messages.size(), 30U);
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(messages[i].first, "/bops/a/b/c");
    EXPECT_EQ(messages[i].second, lines[i]);
  }
  rd_kafka_mock_cluster_destroy(cluster);
  rd_kafka_destroy(owner);
}

}  // namespace
}  // namespace bops
