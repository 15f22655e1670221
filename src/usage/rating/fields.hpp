// Fields of records, packages and prices as people write them.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "usage/rating/rating_record.hpp"

namespace bops {

/// Reads fields of an object. The first thing wrong is kept, and a neutral value handed out, so
/// that readers are plain lists of fields; whoever reads looks at error() at the end.
class Fields {
 public:
  /// `form`: how the times before were written, if there were any; kept up to date.
  Fields(const nlohmann::json& object, std::optional<TimeForm>& form);

  /// The first of the names that the object has, null where that is null or there is none.
  [[nodiscard]] const nlohmann::json* find(std::initializer_list<const char*> names) const;
  [[nodiscard]] bool has(std::initializer_list<const char*> names) const {
    return find(names) != nullptr;
  }
  /// A string that is not empty.
  [[nodiscard]] std::string required_text(std::initializer_list<const char*> names);
  [[nodiscard]] std::string text_or_empty(std::initializer_list<const char*> names);
  /// An integer that is not negative, or its digits as a string.
  [[nodiscard]] BigInteger count(std::initializer_list<const char*> names);
  /// A decimal number as a string, or an integer. Floating point is refused: it is not exact.
  [[nodiscard]] BigRational fraction(std::initializer_list<const char*> names);
  /// Seconds from a UTC hour, or an RFC 3339 text: as the other times of the input.
  [[nodiscard]] RatingTime time(std::initializer_list<const char*> names);
  [[nodiscard]] std::optional<RatingTime> time_or_none(std::initializer_list<const char*> names);

  /// Keeps `message` if it is the first error.
  void complain(std::string message, std::string remedy = {});
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  const nlohmann::json& object_;
  std::optional<TimeForm>& form_;
  std::optional<Error> error_;
};

/// A time of the command line: an integer, or RFC 3339.
[[nodiscard]] Result<RatingTime> parse_rating_time(const std::string& text,
                                                   std::optional<TimeForm>& form);

}  // namespace bops
