// Reading JSON that money hangs on: no field twice, no number that does not fit, each failure
// named.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "model/error.hpp"

namespace bops {

/// The JSON of a text, which must be UTF-8. Refuses what two readers could read differently: a key
/// twice in one object, the character U+0000 in a string; and values nested deeper than 16.
[[nodiscard]] Result<nlohmann::json> parse_unambiguous_json(std::string_view text);

/// Reads the fields of an object; failures name them as `prefix` + name.
class FieldReader {
 public:
  FieldReader(const nlohmann::json& object, std::string prefix)
      : object_(object), prefix_(std::move(prefix)) {}

  /// Null if the object has no such field.
  [[nodiscard]] const nlohmann::json* find(const char* name) const;
  [[nodiscard]] std::string full_name(const char* name) const { return prefix_ + name; }
  [[nodiscard]] Result<std::string> string(const char* name) const;
  [[nodiscard]] Result<void> read(const char* name, std::string& into) const;
  [[nodiscard]] Result<void> read(const char* name, std::int64_t& into) const;

 private:
  const nlohmann::json& object_;
  std::string prefix_;
};

}  // namespace bops
