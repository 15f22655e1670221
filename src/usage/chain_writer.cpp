#include "usage/chain_writer.hpp"

#include "usage/digest.hpp"

namespace bops {

ChainWriter::ChainWriter(std::string source, SigningKey key, std::unique_ptr<UsageSink> sink)
    : source_(std::move(source)), key_(std::move(key)), sink_(std::move(sink)) {}

void ChainWriter::resume(std::uint64_t lines, std::string head) {
  lines_ = lines;
  head_ = std::move(head);
}

Result<void> ChainWriter::append(std::vector<UsageRecord> records) {
  if (records.empty()) return {};
  std::vector<std::string> lines;
  std::string head = head_;
  std::uint64_t seq = lines_;
  for (UsageRecord& record : records) {
    record.key = {source_, std::to_string(seq)};
    record.seq = seq++;
    record.prev = head;
    if (auto valid = check_usage_record(record); !valid) return valid;
    lines.push_back(usage_line(record));
    if (lines.back().size() > kMaxLineSize)
      return failure("a usage record is longer than 65536 bytes", "give fewer labels");
    head = sha256_hex(lines.back());
  }
  if (auto written = sink_->append(lines); !written) return written;
  lines_ = seq;
  head_ = std::move(head);
  return {};
}

Result<void> ChainWriter::checkpoint(UtcNs now, bool final) {
  Checkpoint checkpoint{source_, lines_, head_, now, final, "", ""};
  sign_checkpoint(checkpoint, key_);
  return sink_->append(checkpoint);
}

}  // namespace bops
