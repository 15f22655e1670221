#include "usage/rating/json_values.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace bops {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxDepth = 16;

/// Where reading has got to, shared by all copies of an iterator.
struct Position {
  std::streambuf* buffer;
  std::uint64_t line = 1;
  std::uint64_t value_begin = 0;  ///< bytes
  std::uint64_t bytes = 0;

  [[nodiscard]] bool too_long() const { return bytes - value_begin > kMaxValueSize; }
  [[nodiscard]] bool at_end() const {
    return too_long() || buffer->sgetc() == std::char_traits<char>::eof();
  }
  void advance() {
    if (buffer->sbumpc() == '\n') ++line;
    ++bytes;
  }
};

/// Counts lines while the parser reads. Ends early in a value that is too long.
class Characters {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  Characters() = default;  // the end
  explicit Characters(Position& position) : position_(&position) {}
  char operator*() const { return static_cast<char>(position_->buffer->sgetc()); }
  Characters& operator++() {
    position_->advance();
    return *this;
  }
  Characters operator++(int) {
    Characters before = *this;
    position_->advance();
    return before;
  }
  friend bool operator==(const Characters& left, const Characters& right) {
    return left.is_end() == right.is_end();
  }
  friend bool operator!=(const Characters& left, const Characters& right) {
    return !(left == right);
  }

 private:
  [[nodiscard]] bool is_end() const { return position_ == nullptr || position_->at_end(); }
  Position* position_ = nullptr;
};

/// Builds each value as its parts come, and hands it out when it is complete.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(Position& position, const VisitValue& visit) : position_(position), visit_(visit) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    const bool integer = text.find_first_not_of("-0123456789") == std::string::npos;
    return integer ? add(text) : add(value);
  }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
  bool key(string_t& name) override {
    if (open_.back() != nullptr && open_.back()->contains(name))
      wrong_ = "\"" + name.substr(0, 64) + "\" is there twice";
    key_ = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override {
    if (depth_ == 0 && !in_list_) {
      in_list_ = true;
      begin_value();
      return true;
    }
    return open(Json::array());
  }
  bool end_array() override {
    if (depth_ == 0) {
      in_list_ = false;
      return true;
    }
    return close();
  }
  bool parse_error(std::size_t /*byte*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

 private:
  void begin_value() {
    position_.value_begin = position_.bytes;
    wrong_.clear();
  }

  /// Puts a value into the container that is open. Null: below what is kept.
  Json* put(Json value) {
    if (depth_ == 0) {
      line_ = position_.line;
      root_ = std::move(value);
      return &root_;
    }
    Json* container = open_.back();
    if (container == nullptr) return nullptr;
    if (container->is_array()) {
      container->push_back(std::move(value));
      return &container->back();
    }
    Json& member = (*container)[key_];
    member = std::move(value);
    return &member;
  }

  bool add(Json value) {
    put(std::move(value));
    if (depth_ == 0) hand_out();
    return true;
  }

  bool open(Json container) {
    Json* place = depth_ < kMaxDepth ? put(std::move(container)) : nullptr;
    if (place == nullptr) wrong_ = "values are nested deeper than 16";
    open_.push_back(place);
    ++depth_;
    return true;
  }

  bool close() {
    open_.pop_back();
    if (--depth_ == 0) hand_out();
    return true;
  }

  void hand_out() {
    if (wrong_.empty())
      visit_(std::move(root_), line_);
    else
      visit_(failure(wrong_), line_);
    root_ = Json();
    begin_value();
  }

  Position& position_;
  const VisitValue& visit_;
  Json root_;
  std::vector<Json*> open_;
  std::size_t depth_ = 0;
  bool in_list_ = false;
  std::string key_;
  std::string wrong_;
  std::uint64_t line_ = 1;
};

void skip_space(Position& position) {
  position.value_begin = position.bytes;
  while (!position.at_end() && std::string_view(" \t\r\n").find(static_cast<char>(
                                   position.buffer->sgetc())) != std::string_view::npos) {
    position.advance();
    position.value_begin = position.bytes;
  }
}

}  // namespace

Result<void> for_each_value(std::istream& text, const VisitValue& visit) {
  Position position{text.rdbuf()};
  for (skip_space(position); !position.at_end(); skip_space(position)) {
    Builder builder(position, visit);
    if (Json::sax_parse(Characters(position), Characters(), &builder, Json::input_format_t::json,
                        false))
      continue;
    if (position.too_long())
      return failure("line " + std::to_string(position.line) +
                     ": a value is longer than 1048576 bytes");
    return failure("line " + std::to_string(position.line) + ": not valid JSON in UTF-8");
  }
  return {};
}

Result<Json> parse_value(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<Result<Json>> values;
  const auto read = for_each_value(
      stream, [&](Result<Json> value, std::uint64_t) { values.push_back(std::move(value)); });
  if (!read) return failure("not valid JSON in UTF-8");
  if (values.size() != 1) return failure("not one JSON value");
  return std::move(values.front());
}

}  // namespace bops
