#include "usage/rating/read_records.hpp"

#include <openssl/sha.h>

#include <algorithm>

#include "usage/rating/fields.hpp"
#include "usage/rating/json_values.hpp"

namespace bops {
namespace {

using Json = nlohmann::json;

/// A longer interval would be divided into more hours than anyone charges for at once.
constexpr std::int64_t kLongestNs = std::int64_t{366} * 24 * kNsPerHour;

std::array<std::uint8_t, 16> digest(std::string_view bytes) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> whole{};
  ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), whole.data());
  std::array<std::uint8_t, 16> part{};
  std::copy_n(whole.begin(), part.size(), part.begin());
  return part;
}

/// [source, id] or {"source": ..., "id": ...}
std::optional<UsageKey> reversed_key(const Json& reverses) {
  const Json *source = nullptr, *id = nullptr;
  if (reverses.is_array() && reverses.size() == 2) {
    source = &reverses[0];
    id = &reverses[1];
  } else if (reverses.is_object() && reverses.contains("source") && reverses.contains("id")) {
    source = &reverses["source"];
    id = &reverses["id"];
  }
  if (source == nullptr || !source->is_string() || !id->is_string()) return std::nullopt;
  return UsageKey{source->get<std::string>(), id->get<std::string>()};
}

Result<RatingRecord> simple_record(Json json, std::optional<TimeForm>& form) {
  Fields fields(json, form);
  RatingRecord record;
  record.key = {fields.required_text({"source"}), fields.required_text({"id"})};
  record.start = fields.time({"start"});
  record.end = fields.time({"end"});
  const auto quantity = quantity_of(fields.count({"qty", "quantity"}));
  if (!quantity) fields.complain(quantity.error().message);
  record.quantity = quantity.value_or(0);
  record.received = fields.time_or_none({"received"});
  record.account.tenant = fields.text_or_empty({"tenant", "subject"});
  record.account.meter = fields.text_or_empty({"meter"});
  record.account.model = fields.text_or_empty({"model"});
  record.account.target_accuracy = fields.text_or_empty({"target_accuracy"});
  if (const Json* reverses = fields.find({"reverses"})) {
    record.reverses = reversed_key(*reverses);
    if (!record.reverses) fields.complain("reverses is not [source, id]");
  }
  if (record.end < record.start)
    fields.complain("end is before start", "a clock went backwards: correct the times");
  else if (Quantity{record.end} - record.start > kLongestNs)
    fields.complain("the interval is longer than 366 days");
  if (fields.error()) return tl::unexpected(*fields.error());
  json.erase("received");  // the same record may be received twice
  record.content = digest(json.dump(-1, ' ', true, Json::error_handler_t::replace));
  return record;
}

Result<RatingRecord> record_of_line(const std::string& line, std::optional<TimeForm>& form) {
  if (line.find("\"specversion\"") == std::string::npos) {
    auto json = parse_value(line);
    if (!json) return tl::unexpected(json.error());
    return simple_record(*std::move(json), form);
  }
  const auto usage = parse_usage_line(line);
  if (!usage) return tl::unexpected(usage.error());
  if (form.value_or(TimeForm::kDated) != TimeForm::kDated)
    return failure("some times are dates and some are seconds",
                   "write all times of all inputs in one way");
  form = TimeForm::kDated;
  return rating_record(*usage, line);
}

/// The lines of a stream, of which it reads ahead.
class LinesOfStream {
 public:
  explicit LinesOfStream(std::istream& text) : text_(*text.rdbuf()) {}

  /// The next line without its newline, cut off where it is too long; false at the end.
  bool next(std::string& line) {
    line.clear();
    bool any = false;
    while (fill()) {
      any = true;
      const std::size_t newline = block_.find('\n', begin_);
      const std::size_t end = std::min(newline, block_.size());
      if (line.size() <= kMaxLineSize)
        line.append(block_, begin_, std::min(end - begin_, kMaxLineSize + 1 - line.size()));
      begin_ = end;
      if (newline == std::string::npos) continue;
      ++begin_;
      break;
    }
    if (line.ends_with('\r')) line.pop_back();
    return any;
  }

 private:
  bool fill() {
    if (begin_ < block_.size()) return true;
    block_.resize(kBlock);
    block_.resize(static_cast<std::size_t>(
        text_.sgetn(block_.data(), static_cast<std::streamsize>(block_.size()))));
    begin_ = 0;
    return !block_.empty();
  }
  static constexpr std::size_t kBlock = std::size_t{64} << 10U;
  std::streambuf& text_;
  std::string block_;
  std::size_t begin_ = 0;
};

void read_lines(std::istream& text, std::optional<TimeForm>& form, const RecordSink& sink) {
  LinesOfStream lines(text);
  std::string line;
  for (std::uint64_t number = 1; lines.next(line); ++number) {
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    auto record =
        line.size() > kMaxLineSize
            ? failure("the line is longer than " + std::to_string(kMaxLineSize) + " bytes")
            : record_of_line(line, form);
    if (record)
      sink.record(*std::move(record));
    else
      sink.problem(number, record.error());
  }
}

}  // namespace

RatingRecord rating_record(const UsageRecord& usage, std::string_view bytes) {
  const auto label = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      const auto found = usage.attrs.find(name);
      if (found == usage.attrs.end()) continue;
      if (found->is_string()) return found->get<std::string>();
      if (found->is_number()) return found->dump();
    }
    return std::string();
  };
  RatingRecord record;
  record.key = usage.key;
  record.account.tenant = usage.subject;
  record.account.meter = usage.meter;
  record.account.model = label({"model", "model_type"});
  record.account.target_accuracy = label({"target_accuracy"});
  record.account.error_known = usage.rel_err_ppm.has_value();
  record.account.integrity = usage.integrity;
  record.start = usage.start;
  record.end = usage.end;
  record.received = usage.received;
  record.quantity = usage.quantity;
  record.reverses = usage.reverses;
  if (usage.received) {
    UsageRecord without = usage;  // the same record may be received twice
    without.received.reset();
    record.content = digest(usage_line(without));
  } else {
    record.content = digest(bytes);
  }
  return record;
}

Result<void> read_rating_records(std::istream& text, std::optional<TimeForm>& form,
                                 const RecordSink& sink) {
  std::streambuf& buffer = *text.rdbuf();
  std::uint64_t skipped = 0;  // lines before the first character
  while (buffer.sgetc() == ' ' || buffer.sgetc() == '\n' || buffer.sgetc() == '\r' ||
         buffer.sgetc() == '\t')
    if (buffer.sbumpc() == '\n') ++skipped;
  if (buffer.sgetc() != '[') {
    const auto problem = [&](std::uint64_t line, const Error& error) {
      sink.problem(line + skipped, error);
    };
    read_lines(text, form, {sink.record, problem});
    return {};
  }
  return for_each_value(text, [&](Result<Json> json, std::uint64_t line) {
    auto record = json ? simple_record(*std::move(json), form)
                       : Result<RatingRecord>(tl::unexpected(json.error()));
    if (record)
      sink.record(*std::move(record));
    else
      sink.problem(line + skipped, record.error());
  });
}

}  // namespace bops
