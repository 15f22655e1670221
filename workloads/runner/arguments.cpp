#include "workloads/runner/arguments.hpp"

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

#include "workloads/problem.hpp"

namespace bops::workloads {
namespace {

constexpr std::int64_t kMostThreads = 4096;
constexpr std::int64_t kMostRounds = 1'000'000'000;

template <class T>
std::optional<T> parse_number(std::string_view text, T minimum, T maximum) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end || number < minimum || number > maximum)
    return std::nullopt;
  return number;
}

template <class T>
bool assign(T& field, const std::optional<T>& value) {
  if (value) field = *value;
  return value.has_value();
}

/// Empty, or what is wrong.
std::string read_option(Arguments& arguments, std::string_view option, std::string_view value) {
  Problem& problem = arguments.problem;
  Rounds& rounds = arguments.rounds;
  bool good = false;
  if (option == "--size")
    good = assign(problem.size, parse_number<std::int64_t>(value, 0, INT64_MAX));
  else if (option == "--seed")
    good = assign(problem.seed, parse_number<std::uint64_t>(value, 0, UINT64_MAX));
  else if (option == "--distribution")
    good = assign(problem.distribution, parse_distribution(value));
  else if (option == "--style")
    good = assign(arguments.style, parse_style(value));
  else if (option == "--threads")
    good = assign(arguments.threads, parse_number<std::int64_t>(value, 1, kMostThreads));
  else if (option == "--repeat-kernel")
    good = assign(rounds.repeats, parse_number<std::int64_t>(value, 1, kMostRounds));
  else if (option == "--idle-repeats")
    good = assign(rounds.idle_repeats, parse_number<std::int64_t>(value, 0, kMostRounds));
  else
    return "there is no option " + std::string(option);
  if (good) return {};
  return std::string(option) + " cannot be \"" + std::string(value) + "\"";
}

}  // namespace

Arguments parse_arguments(std::span<char* const> words, const std::vector<Kernel>& table) {
  Arguments arguments;
  if (words.empty()) {
    arguments.error = "name a kernel";
    return arguments;
  }
  arguments.kernel = find_kernel(table, words[0]);
  if (arguments.kernel == nullptr) {
    arguments.error = unknown_kernel(table, words[0]);
    return arguments;
  }
  arguments.problem.size = arguments.kernel->default_size;
  for (std::size_t i = 1; i < words.size() && arguments.error.empty(); i += 2) {
    if (i + 1 == words.size())
      arguments.error = std::string(words[i]) + " needs a value";
    else
      arguments.error = read_option(arguments, words[i], words[i + 1]);
  }
  if (arguments.error.empty()) arguments.error = refusal(*arguments.kernel, arguments.problem);
  return arguments;
}

}  // namespace bops::workloads
