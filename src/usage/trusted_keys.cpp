#include "usage/trusted_keys.hpp"

#include <sstream>

#include "platform/files.hpp"
#include "usage/digest.hpp"

namespace bops {
namespace {

Result<TrustedKey> key_of(const std::string& line) {
  std::istringstream words(line);
  std::string id, key_text, from, to, origin;
  if (!(words >> id >> key_text >> from >> to >> origin))
    return failure("not KEY-ID PUBLIC-KEY FROM TO ORIGIN");
  auto bytes = bytes_of_base64(key_text);
  if (!bytes) return failure("the public key is not base64");
  auto key = PublicKey::from_bytes(*std::move(bytes));
  if (!key) return tl::unexpected(key.error());
  if (key->id() != id) return failure("the key id is not the key's, which is " + key->id());
  const auto begin = parse_utc(from);
  if (!begin) return tl::unexpected(begin.error());
  UtcNs end = TrustedKey::kNoEnd;
  if (to != "-") {
    const auto given = parse_utc(to);
    if (!given) return tl::unexpected(given.error());
    end = *given;
  }
  if (end <= *begin) return failure("the key ends before it begins");
  return TrustedKey{*std::move(key), *begin, end, origin};
}

}  // namespace

Result<TrustedKeys> TrustedKeys::parse(std::string_view text) {
  TrustedKeys keys;
  std::istringstream lines{std::string(text)};
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    auto key = key_of(line);
    if (!key)
      return failure("line " + std::to_string(number) + ": " + key.error().message,
                     "bops usage keygen writes such lines");
    keys.add(*std::move(key));
  }
  return keys;
}

Result<TrustedKeys> TrustedKeys::read(const std::string& path) {
  const auto text = read_file_whole(path);
  if (!text) return tl::unexpected(text.error());
  auto keys = parse(*text);
  if (!keys) return failure(path + ": " + keys.error().message, keys.error().remedy);
  return keys;
}

Result<const TrustedKey*> TrustedKeys::find(std::string_view id, std::string_view origin,
                                            UtcNs time) const {
  std::string why = "is not trusted";
  for (const TrustedKey& key : keys_) {
    if (key.key.id() != id) continue;
    if (!origin.starts_with(key.origin))
      why = "is trusted for " + key.origin + " only";
    else if (time < key.from || time >= key.to)
      why = "was not valid at " + format_utc(time);
    else
      return &key;
  }
  return failure("the key " + std::string(id) + " " + why);
}

std::string trusted_key_line(const TrustedKey& key, const std::string& remark) {
  return key.key.id() + " " + base64_of(key.key.bytes()) + " " + format_utc(key.from) + " " +
         (key.to == TrustedKey::kNoEnd ? "-" : format_utc(key.to)) + " " + key.origin +
         (remark.empty() ? "" : " " + remark);
}

}  // namespace bops
