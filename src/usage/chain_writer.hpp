// Gives records their place in a chain, and signs what was written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "usage/keys.hpp"
#include "usage/usage_record.hpp"
#include "usage/usage_sink.hpp"

namespace bops {

class ChainWriter {
 public:
  /// A new chain of a source that has no records yet.
  ChainWriter(std::string source, SigningKey key, std::unique_ptr<UsageSink> sink);

  /// Goes on behind `lines` lines, the last of which has the SHA-256 `head`.
  void resume(std::uint64_t lines, std::string head);

  /// Signs the state of the chain, at its start without any line.
  [[nodiscard]] Result<void> checkpoint(UtcNs now, bool final);
  /// Appends the records, whose key, seq and prev are filled in here. After a failure nothing was
  /// written, and they may be given again.
  [[nodiscard]] Result<void> append(std::vector<UsageRecord> records);

  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] std::uint64_t lines() const { return lines_; }

 private:
  std::string source_;
  SigningKey key_;
  std::unique_ptr<UsageSink> sink_;
  std::uint64_t lines_ = 0;
  std::string head_{kNoLine};
};

}  // namespace bops
