// SHA-256, and base64 for what is not text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bops {

/// SHA-256 of the bytes, as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

/// RFC 4648 base64 with padding.
[[nodiscard]] std::string base64_of(std::string_view bytes);
/// Nothing unless `text` is exactly what base64_of() writes.
[[nodiscard]] std::optional<std::string> bytes_of_base64(std::string_view text);

}  // namespace bops
