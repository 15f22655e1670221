#include "report/json_node.hpp"

#include <cmath>

#include "report/escape.hpp"

namespace bops {
namespace {

using Json = nlohmann::ordered_json;

const Json& null_value() {
  static const Json value;
  return value;
}

}  // namespace

JsonNode JsonNode::member(std::string_view name) const {
  if (!value_->is_object()) {
    complain("must be an object");
    return {null_value(), member_path(name), *first_error_};
  }
  JsonNode found = member_or_null(name);
  if (found.value_ == &null_value()) found.complain("is missing");
  return found;
}

JsonNode JsonNode::member_or_null(std::string_view name) const {
  if (value_->is_object()) {
    const auto found = value_->find(std::string(name));
    if (found != value_->end()) return {*found, member_path(name), *first_error_};
  }
  return {null_value(), member_path(name), *first_error_};
}

std::size_t JsonNode::size() const {
  if (value_->is_array()) return value_->size();
  complain("must be an array");
  return 0;
}

JsonNode JsonNode::element(std::size_t index) const {
  return {value_->at(index), path_ + '[' + std::to_string(index) + ']', *first_error_};
}

std::string JsonNode::text() const {
  if (const auto* text = value_->get_ptr<const Json::string_t*>()) return bytes_of_text(*text);
  complain("must be a string");
  return {};
}

bool JsonNode::boolean() const {
  if (const auto* boolean = value_->get_ptr<const Json::boolean_t*>()) return *boolean;
  complain("must be true or false");
  return false;
}

double JsonNode::finite_number() const {
  if (value_->is_number()) {
    const auto number = value_->get<double>();
    if (std::isfinite(number)) return number;
  }
  complain("must be a finite number");
  return 0;
}

std::uint64_t JsonNode::unsigned_up_to(std::uint64_t maximum) const {
  // A negative integer is stored as another type, so that it does not pass here.
  if (value_->is_number_unsigned()) {
    const auto number = value_->get<std::uint64_t>();
    if (number <= maximum) return number;
  }
  // A record made in memory rather than parsed holds small numbers as signed.
  else if (value_->is_number_integer() && value_->get<std::int64_t>() >= 0) {
    const auto number = static_cast<std::uint64_t>(value_->get<std::int64_t>());
    if (number <= maximum) return number;
  }
  complain("must be an integer between 0 and " + std::to_string(maximum));
  return 0;
}

std::int64_t JsonNode::signed_between(std::int64_t minimum, std::int64_t maximum) const {
  const bool fits_signed =
      value_->is_number_integer() &&
      (!value_->is_number_unsigned() ||
       value_->get<std::uint64_t>() <=
           static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  if (fits_signed) {
    const auto number = value_->get<std::int64_t>();
    if (number >= minimum && number <= maximum) return number;
  }
  complain("must be an integer between " + std::to_string(minimum) + " and " +
           std::to_string(maximum));
  return 0;
}

void JsonNode::complain(std::string_view what) const {
  if (*first_error_) return;
  const std::string place = path_.empty() ? std::string("the document") : path_;
  *first_error_ = Error{place + ' ' + std::string(what),
                        "use an unchanged record that bops wrote (schema bops.run.v1)"};
}

std::string JsonNode::member_path(std::string_view name) const {
  const std::string shown = printable(name);
  return path_.empty() ? shown : path_ + '.' + shown;
}

std::string JsonNode::key_bytes(std::string_view key) {
  return bytes_of_text(key);
}

}  // namespace bops
