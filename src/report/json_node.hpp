// A place in a JSON document from outside, which remembers its path for errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "model/error.hpp"

namespace bops {

/// Reads never fail where they stand: the first thing wrong is kept in `first_error`, and a neutral
/// value handed out, so that readers are plain lists of fields. Whoever starts reading looks at
/// `first_error` at the end. The document must outlive its nodes.
class JsonNode {
 public:
  JsonNode(const nlohmann::ordered_json& value, std::string path, std::optional<Error>& first_error)
      : value_(&value), path_(std::move(path)), first_error_(&first_error) {}

  /// The member of that name; complains if this is no object or lacks it.
  [[nodiscard]] JsonNode member(std::string_view name) const;
  /// The member of that name, null if there is none.
  [[nodiscard]] JsonNode member_or_null(std::string_view name) const;
  /// Elements of an array; complains if this is none.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] JsonNode element(std::size_t index) const;
  [[nodiscard]] bool is_null() const { return value_->is_null(); }

  /// The bytes of a string (see utf8_text() for how the document holds them).
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] double finite_number() const;
  /// An integer within the limits of its type; 1.0 and 1e3 are none.
  template <class Integer>
  [[nodiscard]] Integer integer() const {
    constexpr Integer kMinimum = std::numeric_limits<Integer>::min();
    constexpr Integer kMaximum = std::numeric_limits<Integer>::max();
    if constexpr (std::is_unsigned_v<Integer>)
      return static_cast<Integer>(unsigned_up_to(kMaximum));
    else
      return static_cast<Integer>(signed_between(kMinimum, kMaximum));
  }
  template <class Integer>
  [[nodiscard]] std::optional<Integer> integer_or_null() const {
    if (is_null()) return std::nullopt;
    return integer<Integer>();
  }
  /// Calls `read(key bytes, value)` for each member of an object; complains if this is none.
  template <class Read>
  void for_each_member(Read read) const {
    if (!value_->is_object()) return complain("must be an object");
    for (const auto& [key, value] : value_->items())
      read(key_bytes(key), JsonNode(value, member_path(key), *first_error_));
  }

  /// Records "<path> <what>" if it is the first error.
  void complain(std::string_view what) const;

 private:
  [[nodiscard]] std::uint64_t unsigned_up_to(std::uint64_t maximum) const;
  [[nodiscard]] std::int64_t signed_between(std::int64_t minimum, std::int64_t maximum) const;
  [[nodiscard]] std::string member_path(std::string_view name) const;
  [[nodiscard]] static std::string key_bytes(std::string_view key);

  const nlohmann::ordered_json* value_;
  std::string path_;
  std::optional<Error>* first_error_;
};

}  // namespace bops
