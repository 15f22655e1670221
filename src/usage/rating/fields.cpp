#include "usage/rating/fields.hpp"

#include <charconv>

namespace bops {
namespace {

using Json = nlohmann::json;
using Names = std::initializer_list<const char*>;

/// So that no hour is cut off at the ends of RatingTime.
constexpr std::int64_t kMostSeconds = 9'200'000'000;

std::string first_of(Names names) {
  return *names.begin();
}

std::string shown(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 64);
}

/// The integer's digits; nothing if the value is none.
std::optional<std::string> integer_text(const Json& value) {
  if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  if (value.is_string()) return value.get<std::string>();
  return std::nullopt;
}

Result<RatingTime> time_of(const Json& value, std::optional<TimeForm>& form) {
  const TimeForm written = value.is_string() ? TimeForm::kDated : TimeForm::kSeconds;
  RatingTime time = 0;
  if (value.is_string()) {
    const auto parsed = parse_utc(value.get_ref<const std::string&>());
    if (!parsed) return tl::unexpected(parsed.error());
    time = *parsed;
  } else {
    const bool integer = value.is_number_integer() &&
                         (!value.is_number_unsigned() || value.get<std::uint64_t>() >> 63U == 0);
    const std::int64_t seconds = integer ? value.get<std::int64_t>() : 0;
    const bool small = integer && seconds >= -kMostSeconds && seconds <= kMostSeconds;
    if (!small)
      return failure(shown(value) + " is not a time",
                     "write whole seconds from an hour, or 2026-11-22T19:00:00Z");
    time = seconds * kNsPerSecond;
  }
  if (form.value_or(written) != written)
    return failure("some times are dates and some are seconds",
                   "write all times of all inputs in one way");
  form = written;
  return time;
}

}  // namespace

Fields::Fields(const Json& object, std::optional<TimeForm>& form) : object_(object), form_(form) {
  if (!object.is_object()) complain("it is not a JSON object");
}

const Json* Fields::find(Names names) const {
  if (!object_.is_object()) return nullptr;
  for (const char* name : names) {
    const auto found = object_.find(name);
    if (found != object_.end()) return found->is_null() ? nullptr : &*found;
  }
  return nullptr;
}

std::string Fields::text_or_empty(Names names) {
  const Json* field = find(names);
  if (field == nullptr) return {};
  if (field->is_string()) return field->get<std::string>();
  complain(first_of(names) + " is not a string: " + shown(*field));
  return {};
}

std::string Fields::required_text(Names names) {
  std::string text = text_or_empty(names);
  if (text.empty()) complain(first_of(names) + " is missing or empty");
  return text;
}

BigInteger Fields::count(Names names) {
  const Json* field = find(names);
  if (field == nullptr) {
    complain(first_of(names) + " is missing");
    return 0;
  }
  const auto digits = integer_text(*field);
  const auto value = digits ? parse_count(*digits) : failure(shown(*field) + " is not an integer");
  if (value) return *value;
  complain(first_of(names) + ": " + value.error().message, "write an integer that is not negative");
  return 0;
}

BigRational Fields::fraction(Names names) {
  const Json* field = find(names);
  if (field == nullptr) {
    complain(first_of(names) + " is missing");
    return 0;
  }
  const auto digits = integer_text(*field);
  if (!digits) {
    complain(first_of(names) + ": " + shown(*field) + " is not exact",
             "write it as a string: \"0.002\"");
    return 0;
  }
  const auto value = parse_fraction(*digits);
  if (value) return *value;
  complain(first_of(names) + ": " + value.error().message, value.error().remedy);
  return 0;
}

RatingTime Fields::time(Names names) {
  if (!has(names)) complain(first_of(names) + " is missing");
  return time_or_none(names).value_or(0);
}

std::optional<RatingTime> Fields::time_or_none(Names names) {
  const Json* field = find(names);
  if (field == nullptr) return std::nullopt;
  const auto time = time_of(*field, form_);
  if (time) return *time;
  complain(first_of(names) + ": " + time.error().message, time.error().remedy);
  return std::nullopt;
}

void Fields::complain(std::string message, std::string remedy) {
  if (!error_) error_ = Error{std::move(message), std::move(remedy)};
}

Result<RatingTime> parse_rating_time(const std::string& text, std::optional<TimeForm>& form) {
  std::int64_t seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, seconds);
  if (problem == std::errc() && stop == end) return time_of(Json(seconds), form);
  return time_of(Json(text), form);
}

}  // namespace bops
