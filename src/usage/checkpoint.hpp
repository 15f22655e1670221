// A signed statement of how many lines a chain had at a time, and which was the last.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/error.hpp"
#include "usage/trusted_keys.hpp"

namespace bops {

/// `prev` of a first line, and the head of a chain without lines.
inline constexpr std::string_view kNoLine =
    "0000000000000000000000000000000000000000000000000000000000000000";

struct Checkpoint {
  std::string origin;       ///< the source of the records
  std::uint64_t lines = 0;  ///< so many lines of it
  std::string head;         ///< SHA-256 of the last of them
  UtcNs time = 0;           ///< when it was signed
  bool final = false;       ///< the run has ended: no more lines will come
  std::string key;          ///< id of the key
  std::string signature;    ///< 64 bytes
};

/// Fills in key and signature.
void sign_checkpoint(Checkpoint& checkpoint, const SigningKey& key);

/// Fails, with the reason, unless a trusted key that was valid then has signed it.
[[nodiscard]] Result<void> check_signature(const Checkpoint& checkpoint,
                                           const TrustedKeys& trusted);

/// JSON, without a newline.
[[nodiscard]] std::string checkpoint_line(const Checkpoint& checkpoint);
[[nodiscard]] Result<Checkpoint> parse_checkpoint_line(std::string_view line);

}  // namespace bops
