#include "cli/command_lines.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace bops {
namespace {

bool is_blank(char character) {
  return character == ' ' || character == '\t' || character == '\r';
}

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::optional<std::string> word;  // "" is a word, nothing is none
  char quote = '\0';
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char character = line[at];
    if (quote == '\0' && is_blank(character)) {
      if (word) words.push_back(*std::exchange(word, std::nullopt));
      continue;
    }
    if (!word) word.emplace();
    if (character == '\\' && quote != '\'' && at + 1 < line.size())
      *word += line[++at];
    else if (character == quote)
      quote = '\0';
    else if (quote == '\0' && (character == '\'' || character == '"'))
      quote = character;
    else
      *word += character;
  }
  if (quote != '\0')
    return failure("the quote " + std::string(1, quote) + " is not closed", "close it");
  if (word) words.push_back(*std::move(word));
  return words;
}

Result<std::vector<std::vector<std::string>>> split_commands(std::string_view text) {
  std::vector<std::vector<std::string>> commands;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.starts_with('#')) continue;
    auto words = split_words(line);
    if (!words)
      return failure("line " + std::to_string(number) + ": " + words.error().message,
                     words.error().remedy);
    if (!words->empty()) commands.push_back(*std::move(words));
  }
  return commands;
}

}  // namespace bops
