// The record parser on any bytes: never crashes, and what it takes it writes as the same record.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "usage/checkpoint.hpp"
#include "usage/trusted_keys.hpp"
#include "usage/usage_record.hpp"
#include "usage/work_scraper.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto record = bops::parse_usage_line(text)) {
    if (!bops::check_usage_record(*record)) std::abort();
    const std::string line = bops::usage_line(*record);
    const auto again = bops::parse_usage_line(line);
    if (!again || bops::usage_line(*again) != line) std::abort();
    if (again->key != record->key || again->quantity != record->quantity) std::abort();
  }
  if (const auto checkpoint = bops::parse_checkpoint_line(text))
    if (bops::checkpoint_line(*checkpoint) != text) std::abort();
  (void)bops::TrustedKeys::parse(text);
  (void)bops::parse_served_work(text);
  return 0;
}
