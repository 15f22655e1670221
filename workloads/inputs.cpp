#include "workloads/inputs.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace bops::workloads {
namespace {

constexpr std::uint64_t kFewValues = 16;
constexpr double kTolerance = 1e-9;

/// The finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
/// generators, OOPSLA 2014).
std::uint64_t mix(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
  return bits ^ (bits >> 31U);
}

/// The number `index` of the sequence that belongs to `seed`.
std::uint64_t random_bits(std::uint64_t seed, std::uint64_t index) {
  return mix(mix(seed) + (index + 1) * 0x9e3779b97f4a7c15U);
}

/// The sum of four uniform numbers of 29 bits.
int bell_key(std::uint64_t seed, std::uint64_t index) {
  constexpr std::uint64_t kMask = (1U << 29U) - 1;
  const std::uint64_t one = random_bits(seed, 2 * index);
  const std::uint64_t other = random_bits(seed, 2 * index + 1);
  return static_cast<int>((one & kMask) + (one >> 35U) + (other & kMask) + (other >> 35U));
}

int make_key(const Problem& problem, std::int64_t i) {
  const std::uint64_t bits = random_bits(problem.seed, static_cast<std::uint64_t>(i));
  switch (problem.distribution) {
    case Distribution::kUniform: break;
    case Distribution::kSorted: return static_cast<int>(i);
    case Distribution::kReversed: return static_cast<int>(problem.size - i);
    case Distribution::kFewValues: return static_cast<int>(bits % kFewValues);
    case Distribution::kEqual: return static_cast<int>(problem.seed & 0xffffU);
    case Distribution::kBell: return bell_key(problem.seed, static_cast<std::uint64_t>(i));
  }
  return static_cast<int>(bits >> 33U);
}

}  // namespace

std::vector<int> make_keys(const Problem& problem) {
  std::vector<int> keys(static_cast<std::size_t>(problem.size));
  for (std::size_t i = 0; i < keys.size(); ++i)
    keys[i] = make_key(problem, static_cast<std::int64_t>(i));
  return keys;
}

std::vector<double> make_reals(std::int64_t count, std::uint64_t seed) {
  std::vector<double> reals(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < reals.size(); ++i)
    reals[i] = 0.5 + static_cast<double>(random_bits(seed, i) >> 11U) * 0x1p-53;
  return reals;
}

void KeyMultiset::add(int key) {
  sum_ += mix(static_cast<std::uint64_t>(key));
}

bool nearly_equal(double a, double b) {
  return std::fabs(a - b) <= kTolerance * std::max(std::fabs(a), std::fabs(b));
}

}  // namespace bops::workloads
