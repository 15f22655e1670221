#include "collectors/exact/decode/instruction_memory.hpp"

#include <algorithm>
#include <cstring>

namespace bops::exact {
namespace {

constexpr std::size_t kMaxSize = 15;
constexpr std::size_t kFirstPlaces = 4096;

/// One bit for each opcode of a map: a ModRM byte follows, in any form of it.
class OpcodeSet {
 public:
  struct Range {
    unsigned first, last;
  };
  template <std::size_t N>
  explicit constexpr OpcodeSet(const std::array<Range, N>& ranges) {
    for (const Range& range : ranges)
      for (unsigned opcode = range.first; opcode <= range.last; ++opcode) has_.at(opcode) = true;
  }
  [[nodiscard]] constexpr bool has(std::uint8_t opcode) const { return has_[opcode]; }

 private:
  std::array<bool, 256> has_{};
};

using Range = OpcodeSet::Range;

// Of the opcode maps in volume 2, appendix A of Intel's manual. What is left out is only looked up
// as it stands.
constexpr OpcodeSet kOneByte(std::array<Range, 19>{{{0x00, 0x03},
                                                    {0x08, 0x0b},
                                                    {0x10, 0x13},
                                                    {0x18, 0x1b},
                                                    {0x20, 0x23},
                                                    {0x28, 0x2b},
                                                    {0x30, 0x33},
                                                    {0x38, 0x3b},
                                                    {0x63, 0x63},
                                                    {0x69, 0x69},
                                                    {0x6b, 0x6b},
                                                    {0x80, 0x81},
                                                    {0x83, 0x8b},
                                                    {0x8d, 0x8d},
                                                    {0xc0, 0xc1},
                                                    {0xc6, 0xc7},
                                                    {0xd0, 0xd3},
                                                    {0xf6, 0xf7},
                                                    {0xff, 0xff}}});
constexpr OpcodeSet kTwoByte(std::array<Range, 11>{{{0x10, 0x17},
                                                    {0x28, 0x2f},
                                                    {0x40, 0x4f},
                                                    {0x51, 0x5f},
                                                    {0x60, 0x70},
                                                    {0x74, 0x76},
                                                    {0x7e, 0x7f},
                                                    {0x90, 0x9f},
                                                    {0xaf, 0xaf},
                                                    {0xb6, 0xb7},
                                                    {0xbe, 0xbf}}});

/// Bytes that are left out of a key.
struct Part {
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// The displacement behind the ModRM byte at `at`, in 64-bit mode.
Part displacement(std::span<const std::uint8_t> bytes, std::size_t at) {
  if (at >= bytes.size()) return {};
  const unsigned mode = bytes[at] >> 6U, base = bytes[at] & 7U;
  if (mode == 3) return {};
  std::size_t begin = at + 1, size = mode == 1 ? 1 : mode == 2 ? 4 : 0;
  if (base == 4) {
    if (begin >= bytes.size()) return {};
    if (mode == 0 && (bytes[begin] & 7U) == 5) size = 4;
    ++begin;
  } else if (mode == 0 && base == 5) {
    size = 4;
  }
  return begin + size <= bytes.size() ? Part{begin, size} : Part{};
}

Part left_out(std::span<const std::uint8_t> bytes) {
  const std::uint8_t first = bytes[0];
  const std::size_t size = bytes.size();
  if (size == 5 && (first == 0xe8 || first == 0xe9)) return {1, 4};
  if (size == 2 && (first == 0xeb || (first & 0xf0U) == 0x70)) return {1, 1};
  if (size == 6 && first == 0x0f && (bytes[1] & 0xf0U) == 0x80) return {2, 4};
  std::size_t at = 0;
  while (at < size && (bytes[at] == 0x66 || bytes[at] == 0xf2 || bytes[at] == 0xf3)) ++at;
  if (at < size && (bytes[at] & 0xf0U) == 0x40) ++at;
  if (at >= size) return {};
  const bool one_byte = bytes[at] != 0x0f;
  if (!one_byte && ++at >= size) return {};
  return (one_byte ? kOneByte : kTwoByte).has(bytes[at]) ? displacement(bytes, at + 1) : Part{};
}

template <class Integer>
std::uint64_t load(const std::uint8_t* from) {
  Integer value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// `size` bytes, 1 ... 15, in the order of x86, and zeros: in few steps, which may overlap.
std::array<std::uint64_t, 2> first_bytes(const std::uint8_t* from, std::size_t size) {
  if (size > 8)
    return {load<std::uint64_t>(from), load<std::uint64_t>(from + size - 8) >> (8 * (16 - size))};
  if (size == 8) return {load<std::uint64_t>(from), 0};
  if (size >= 4)
    return {load<std::uint32_t>(from) | load<std::uint32_t>(from + size - 4) << (8 * (size - 4)),
            0};
  return {from[0] | std::uint64_t{from[size / 2]} << (8 * (size / 2)) |
              std::uint64_t{from[size - 1]} << (8 * (size - 1)),
          0};
}

}  // namespace

std::array<std::uint64_t, 2> instruction_key(std::span<const std::uint8_t> bytes) {
  const std::size_t size = std::min(bytes.size(), kMaxSize);
  if (size == 0) return {};
  std::array<std::uint64_t, 2> key = first_bytes(bytes.data(), size);
  const Part part = left_out(bytes.first(size));
  const std::uint64_t mask = (std::uint64_t{1} << (8 * part.size)) - 1;
  if (part.begin < 8) key[0] &= ~(mask << (8 * part.begin));
  if (part.begin >= 8)
    key[1] &= ~(mask << (8 * (part.begin - 8)));
  else if (part.begin + part.size > 8)
    key[1] &= ~(mask >> (8 * (8 - part.begin)));
  key[1] |= std::uint64_t{size} << 56U;
  return key;
}

std::size_t InstructionMemory::place_of(const std::array<std::uint64_t, 2>& key) const {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
  const std::uint64_t mixed = (key[0] ^ (key[1] * kOdd)) * kOdd;
  const std::size_t mask = places_.size() - 1;
  std::size_t place = (mixed >> 32U) & mask;
  while (places_[place].key != key && places_[place].key[1] != 0) place = (place + 1) & mask;
  return place;
}

void InstructionMemory::grow() {
  std::vector<Place> old(std::max(kFirstPlaces, places_.size() * 2));
  std::swap(old, places_);
  for (const Place& place : old)
    if (place.key[1] != 0) places_[place_of(place.key)] = place;
}

const DecodedInstruction& InstructionMemory::decode(std::span<const std::uint8_t> bytes) {
  const auto key = instruction_key(bytes);
  std::size_t place = place_of(key);
  if (places_[place].key[1] == 0) {
    if (2 * (decoded_.size() + 1) > places_.size()) {
      grow();
      place = place_of(key);
    }
    places_[place] = {key, static_cast<std::uint32_t>(decoded_.size())};
    decoded_.push_back(decode_instruction(bytes));
  }
  return decoded_[places_[place].decoded];
}

}  // namespace bops::exact
