// The keys of this user: made where there are none yet.
#pragma once

#include <string>

#include "usage/keys.hpp"
#include "usage/trusted_keys.hpp"

namespace bops {

/// Where the keys lie without an option that says where.
[[nodiscard]] std::string default_key_file();
[[nodiscard]] std::string default_trusted_file();

/// Makes a key in a new file, and adds it to the file of trusted keys, from `from` on, for origins
/// that start with `origin`. Directories are made.
[[nodiscard]] Result<TrustedKey> make_key(const std::string& key_file,
                                          const std::string& trusted_file, UtcNs from, UtcNs to,
                                          const std::string& origin);

/// The key of the file; where that is the default one and there is none, one is made.
[[nodiscard]] Result<SigningKey> signing_key(const std::string& key_file,
                                             const std::string& origin);

}  // namespace bops
