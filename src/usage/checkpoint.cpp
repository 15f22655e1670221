#include "usage/checkpoint.hpp"

#include "usage/digest.hpp"
#include "usage/record_json.hpp"
#include "usage/usage_record.hpp"

namespace bops {
namespace {

constexpr const char* kSchema = "bops.usage.checkpoint.v1";

/// What is signed: every field on a line of its own, none of which can hold a newline.
std::string signed_text(const Checkpoint& checkpoint) {
  return std::string(kSchema) + "\n" + checkpoint.origin + "\n" + std::to_string(checkpoint.lines) +
         "\n" + checkpoint.head + "\n" + format_utc(checkpoint.time) + "\n" +
         (checkpoint.final ? "final" : "open") + "\n" + checkpoint.key + "\n";
}

}  // namespace

void sign_checkpoint(Checkpoint& checkpoint, const SigningKey& key) {
  checkpoint.key = key.public_key().id();
  checkpoint.signature = key.sign(signed_text(checkpoint));
}

Result<void> check_signature(const Checkpoint& checkpoint, const TrustedKeys& trusted) {
  const auto key = trusted.find(checkpoint.key, checkpoint.origin, checkpoint.time);
  if (!key) return tl::unexpected(key.error());
  if ((*key)->key.verifies(signed_text(checkpoint), checkpoint.signature)) return {};
  return failure("the signature does not match");
}

std::string checkpoint_line(const Checkpoint& checkpoint) {
  const nlohmann::ordered_json json{{"schema", kSchema},
                                    {"origin", checkpoint.origin},
                                    {"lines", checkpoint.lines},
                                    {"head", checkpoint.head},
                                    {"time", format_utc(checkpoint.time)},
                                    {"final", checkpoint.final},
                                    {"key", checkpoint.key},
                                    {"signature", base64_of(checkpoint.signature)}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Checkpoint> parse_checkpoint_line(std::string_view line) {
  const auto json = parse_unambiguous_json(line);
  if (!json) return tl::unexpected(json.error());
  if (!json->is_object()) return failure("not a JSON object");
  const FieldReader reader(*json, "");
  Checkpoint checkpoint;
  std::string schema, time, signature;
  std::int64_t lines = 0;
  for (auto read : {reader.read("schema", schema), reader.read("origin", checkpoint.origin),
                    reader.read("lines", lines), reader.read("head", checkpoint.head),
                    reader.read("time", time), reader.read("key", checkpoint.key),
                    reader.read("signature", signature)})
    if (!read) return tl::unexpected(read.error());
  const auto* final = reader.find("final");
  auto bytes = bytes_of_base64(signature);
  const auto when = parse_utc(time);
  if (schema != kSchema || lines < 0 || !is_sha256_hex(checkpoint.head) || final == nullptr ||
      !final->is_boolean() || !bytes || !when ||
      checkpoint.origin.find('\n') != std::string::npos ||
      checkpoint.key.find('\n') != std::string::npos)
    return failure("not a bops.usage.checkpoint.v1");
  checkpoint.lines = static_cast<std::uint64_t>(lines);
  checkpoint.final = final->get<bool>();
  checkpoint.time = *when;
  checkpoint.signature = *std::move(bytes);
  // One form only: a byte that changes nothing would be a change that is not found.
  if (checkpoint_line(checkpoint) != line) return failure("not written as bops writes it");
  return checkpoint;
}

}  // namespace bops
