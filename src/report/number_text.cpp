#include "report/number_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace bops {
namespace {

/// Fixed notation; to_chars, because printf's decimal point depends on the locale.
std::string fixed(double value, int decimals) {
  std::array<char, 512> buffer{};  // the longest double has 309 digits before the point
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    std::chars_format::fixed, decimals);
  return {buffer.data(), result.ptr};
}

std::string with_separators(std::string digits) {
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t position = digits.size(); position > first + 3;) {
    position -= 3;
    digits.insert(position, 1, ',');
  }
  return digits;
}

/// `value` over a power of `base` with that power's prefix, chosen so that the rounded number stays
/// below the base ("1.00 M", never "1000.00 k").
template <std::size_t Size>
std::string prefixed(double value, double base, int decimals,
                     const std::array<std::string_view, Size>& prefixes, std::string_view unit) {
  const double half_step = 0.5 * std::pow(10.0, -decimals);
  std::size_t power = 0;
  while (power + 1 < Size && std::abs(value) + (power == 0 ? 0 : half_step) >= base) {
    value /= base;
    ++power;
  }
  return fixed(value, power == 0 ? 0 : decimals) + ' ' + std::string(prefixes.at(power)) +
         std::string(unit);
}

}  // namespace

std::string grouped(std::uint64_t value) {
  return with_separators(std::to_string(value));
}

std::string grouped(std::int64_t value) {
  return with_separators(std::to_string(value));
}

std::string grouped_rounded(double value) {
  return with_separators(fixed(value, 0));
}

std::string with_prefix(double value, std::string_view unit) {
  static constexpr std::array<std::string_view, 7> kPrefixes{"", "k", "M", "G", "T", "P", "E"};
  return prefixed(value, 1000, 2, kPrefixes, unit);
}

std::string per_part(double whole, double parts) {
  if (parts == 0) return "-";
  const std::string digits = fixed(whole / parts, 1);
  const std::size_t point = digits.find('.');
  return with_separators(digits.substr(0, point)) + digits.substr(point);
}

std::string percent(double part, double whole) {
  if (whole == 0) return "-";
  const std::string text = fixed(100 * part / whole, 1) + " %";
  return text == "-0.0 %" ? "0.0 %" : text;
}

std::string duration_text(std::uint64_t duration_ns) {
  const auto nanoseconds = static_cast<double>(duration_ns);
  if (duration_ns < 1'000) return std::to_string(duration_ns) + " ns";
  if (duration_ns < 1'000'000) return fixed(nanoseconds / 1e3, 3) + " us";
  if (duration_ns < 1'000'000'000) return fixed(nanoseconds / 1e6, 3) + " ms";
  return fixed(nanoseconds / 1e9, 3) + " s";
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 7> kPrefixes{"",   "Ki", "Mi", "Gi",
                                                             "Ti", "Pi", "Ei"};
  return prefixed(static_cast<double>(bytes), 1024, 1, kPrefixes, "B");
}

}  // namespace bops
