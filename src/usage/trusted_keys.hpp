// Which public keys may sign checkpoints, of which origins, and when.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/error.hpp"
#include "usage/keys.hpp"
#include "usage/utc_time.hpp"

namespace bops {

/// One key, valid for from <= t < to.
struct TrustedKey {
  PublicKey key;
  UtcNs from;
  UtcNs to;            ///< kNoEnd: none
  std::string origin;  ///< what an origin must start with, e.g. "/bops/HOST/"

  static constexpr UtcNs kNoEnd = INT64_MAX;
};

/// A file of keys, one on each line: "KEY-ID PUBLIC-KEY FROM TO ORIGIN [REMARK]", where TO may be
/// "-". Empty lines and those that start with # are passed over.
class TrustedKeys {
 public:
  /// Errors name the line.
  [[nodiscard]] static Result<TrustedKeys> parse(std::string_view text);
  [[nodiscard]] static Result<TrustedKeys> read(const std::string& path);

  void add(TrustedKey key) { keys_.push_back(std::move(key)); }
  /// A key of that id that may sign for the origin at that time. Fails with what is wrong.
  [[nodiscard]] Result<const TrustedKey*> find(std::string_view id, std::string_view origin,
                                               UtcNs time) const;

 private:
  std::vector<TrustedKey> keys_;
};

/// The line of a key, without a newline.
[[nodiscard]] std::string trusted_key_line(const TrustedKey& key, const std::string& remark);

}  // namespace bops
