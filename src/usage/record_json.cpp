#include "usage/record_json.hpp"

#include <set>
#include <vector>

namespace bops {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 16;

/// What is wrong with a JSON text beyond its syntax, found while it is parsed.
class AmbiguityCheck {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start:
      case Json::parse_event_t::array_start:
        if (depth > kMaxDepth) wrong_ = "values are nested deeper than 16";
        keys_.resize(static_cast<std::size_t>(depth) + 1);
        keys_.back().clear();
        break;
      case Json::parse_event_t::key: {
        const std::string key = parsed.get<std::string>();
        keys_.resize(static_cast<std::size_t>(depth));
        if (!keys_.back().insert(key).second)
          wrong_ = "\"" + key.substr(0, 64) + "\" is there twice";
        check_text(key);
        break;
      }
      case Json::parse_event_t::value:
        if (parsed.is_string()) check_text(parsed.get_ref<const std::string&>());
        break;
      case Json::parse_event_t::object_end:
      case Json::parse_event_t::array_end: break;
    }
    return true;
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  void check_text(const std::string& text) {
    if (text.find('\0') != std::string::npos) wrong_ = "a string has a NUL character";
  }
  std::vector<std::set<std::string>> keys_;
  std::string wrong_;
};

}  // namespace

Result<Json> parse_unambiguous_json(std::string_view text) {
  AmbiguityCheck check;
  try {
    Json json = Json::parse(text.begin(), text.end(),
                            [&check](int depth, Json::parse_event_t event, Json& parsed) {
                              return check(depth, event, parsed);
                            });
    if (!check.wrong().empty()) return failure(check.wrong());
    return json;
  } catch (const Json::parse_error& error) {
    return failure("invalid JSON or UTF-8 at byte " + std::to_string(error.byte));
  } catch (const Json::exception& error) {
    return failure("invalid JSON: a number is out of range");
  }
}

const Json* FieldReader::find(const char* name) const {
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

Result<std::string> FieldReader::string(const char* name) const {
  const Json* field = find(name);
  if (field == nullptr) return failure(full_name(name) + " is missing");
  if (!field->is_string()) return failure(full_name(name) + " is not a string");
  return field->get<std::string>();
}

Result<void> FieldReader::read(const char* name, std::string& into) const {
  auto text = string(name);
  if (!text) return tl::unexpected(text.error());
  into = *std::move(text);
  return {};
}

Result<void> FieldReader::read(const char* name, std::int64_t& into) const {
  const Json* field = find(name);
  if (field == nullptr) return failure(full_name(name) + " is missing");
  const bool fits = field->is_number_integer() &&
                    (!field->is_number_unsigned() || field->get<std::uint64_t>() >> 63U == 0);
  if (!fits) return failure(full_name(name) + " is not an integer of 63 bits");
  into = field->get<std::int64_t>();
  return {};
}

}  // namespace bops
