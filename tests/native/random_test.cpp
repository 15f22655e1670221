// Random strings: BOPS_DECODE_STRINGS says how many (of each kind).
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/harness/sanitized.hpp"
#include "tests/native/tally.hpp"

namespace bops::native {
namespace {

using String = std::array<std::uint8_t, 24>;

std::uint64_t strings_wanted() {
  constexpr std::uint64_t kDefault = harness::kSanitized ? 200'000 : 2'000'000;
  const char* wanted = std::getenv("BOPS_DECODE_STRINGS");
  return wanted == nullptr ? kDefault : std::strtoull(wanted, nullptr, 10);
}

String random_bytes(std::mt19937_64& random) {
  String bytes;
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

TEST(Random, bytes_agree_with_zydis) {
  std::mt19937_64 random(20260729);
  Tally tally;
  for (std::uint64_t left = strings_wanted(); left > 0; --left) tally.add(random_bytes(random));
  tally.expect_agreement();
  std::cout << tally.summary() << '\n';
}

// Prefixes, then an opcode of a rarer map, are seldom met by chance.
TEST(Random, prefixes_and_escapes_agree_with_zydis) {
  constexpr std::array<std::uint8_t, 16> kPrefixes{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x66,
                                                   0x67, 0xf0, 0xf2, 0xf3, 0x41, 0x44, 0x48, 0x4d};
  constexpr std::array<std::uint8_t, 6> kEscapes{0x0f, 0x0f, 0xc4, 0xc5, 0x62, 0x8f};
  std::mt19937_64 random(62);
  Tally tally;
  for (std::uint64_t left = strings_wanted(); left > 0; --left) {
    String bytes = random_bytes(random);
    std::size_t at = 0;
    for (std::uint64_t more = random() % 6; more > 1; --more) {
      bytes[at++] = kPrefixes[random() % kPrefixes.size()];
    }
    if (random() % 4 != 0) {
      const std::uint8_t escape = kEscapes[random() % kEscapes.size()];
      bytes[at++] = escape;
      // Few bits of the second byte make a map that exists.
      if (escape == 0x62) bytes[at] &= 0xf7;
      if (escape == 0xc4) bytes[at] &= 0xe3;
      if (escape == 0x8f)
        bytes[at] = static_cast<std::uint8_t>((bytes[at] & 0xe0) | (8 + random() % 3));
    }
    tally.add(bytes);
  }
  tally.expect_agreement();
  std::cout << tally.summary() << '\n';
}

}  // namespace
}  // namespace bops::native
