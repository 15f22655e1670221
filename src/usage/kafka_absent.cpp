// For builds without librdkafka.
#include "usage/push.hpp"

namespace bops {

Result<std::unique_ptr<RecordSink>> open_kafka_sink(const std::string& /*url*/) {
  return failure("this build of bops is without Kafka",
                 "install librdkafka-dev, and build bops again");
}

}  // namespace bops
