#include "tests/doubles/pmu/rules.hpp"

#include <fnmatch.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace bops::pmu_double {
namespace {

[[noreturn]] void wrong(const std::string& line) {
  std::fprintf(stderr, "PMU double: what is meant by \"%s\"?\n", line.c_str());
  std::abort();
}

std::uint64_t number(const std::string& text, const std::string& line) {
  char* end = nullptr;
  errno = 0;
  const std::uint64_t value = std::strtoull(text.c_str(), &end, 0);
  if (text.empty() || *end != '\0' || errno != 0) wrong(line);
  return value;
}

int errno_of(const std::string& name, const std::string& line) {
  static const std::map<std::string, int> kNames{
      {"ENOENT", ENOENT}, {"EACCES", EACCES}, {"EPERM", EPERM},   {"EMFILE", EMFILE},
      {"ENFILE", ENFILE}, {"EINVAL", EINVAL}, {"ESRCH", ESRCH},   {"ENOSPC", ENOSPC},
      {"EBUSY", EBUSY},   {"ENODEV", ENODEV}, {"ENOSYS", ENOSYS}, {"EOPNOTSUPP", EOPNOTSUPP}};
  const auto found = kNames.find(name);
  if (found == kNames.end()) wrong(line);
  return found->second;
}

Expression expression(const std::string& text, const std::string& line) {
  using Kind = Expression::Kind;
  if (const std::size_t slash = text.find("/us"); slash != std::string::npos)
    return {Kind::kPerMicrosecond, number(text.substr(0, slash), line), 0};
  const std::size_t star = text.find('*');
  if (star == std::string::npos) return {Kind::kFixed, 0, number(text, line)};
  const std::size_t plus = text.find('+');
  const std::string of = text.substr(star + 1, plus == std::string::npos ? plus : plus - star - 1);
  if (of != "tid" && of != "index") wrong(line);
  return {of == "tid" ? Kind::kTid : Kind::kIndex, number(text.substr(0, star), line),
          plus == std::string::npos ? 0 : number(text.substr(plus + 1), line)};
}

bool is_name(const std::string& pattern) {
  return pattern != "*" && pattern.find_first_not_of("0123456789") != std::string::npos;
}

/// "thread worker-* instructions=1000*index kernel:instructions=5"
ThreadRule thread_rule(std::istringstream& words, const std::string& line) {
  ThreadRule rule;
  words >> rule.pattern;
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) wrong(line);
    std::string event = word.substr(0, equals);
    const bool kernel = event.starts_with("kernel:");
    if (kernel) event = event.substr(7);
    (kernel ? rule.kernel : rule.user)[event] = expression(word.substr(equals + 1), line);
  }
  return rule;
}

/// The words "key=value" after the first.
template <class Take>
void take_options(std::istringstream& words, const std::string& line, Take take) {
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (!take(word.substr(0, equals), value)) wrong(line);
  }
}

RunningRule running_rule(std::istringstream& words, const std::string& line) {
  RunningRule rule;
  words >> rule.percent;
  take_options(words, line, [&](const std::string& key, const std::string& value) {
    if (key == "type")
      rule.type = static_cast<std::uint32_t>(number(value, line));
    else if (key == "thread")
      rule.pattern = value;
    else
      return false;
    return true;
  });
  return rule;
}

ErrorRule error_rule(std::istringstream& words, const std::string& line) {
  ErrorRule rule;
  std::string name;
  words >> name;
  rule.error = errno_of(name, line);
  take_options(words, line, [&](const std::string& key, const std::string& value) {
    if (key == "type")
      rule.type = static_cast<std::uint32_t>(number(value, line));
    else if (key == "config")
      rule.config = number(value, line);
    else if (key == "after")
      rule.after = number(value, line);
    else if (key == "kernel")
      rule.kernel_only = true;
    else
      return false;
    return true;
  });
  return rule;
}

/// "sample worker-* instructions=40 loads=7 at /bin/true 0x1234", "lost * loads=3"
SampleRule sample_rule(std::istringstream& words, const std::string& line, bool lost) {
  SampleRule rule;
  rule.line = line;
  rule.lost = lost;
  words >> rule.pattern;
  std::string word;
  for (; words >> word && word != "at";) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) wrong(line);
    rule.counts[word.substr(0, equals)] = expression(word.substr(equals + 1), line);
  }
  if (lost) return rule;
  std::string place;
  if (!(words >> rule.file >> place)) wrong(line);
  if (rule.file == "-") rule.file.clear();
  rule.place = number(place, line);
  return rule;
}

void take_line(Rules& rules, const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  if (!(words >> verb) || verb.starts_with("#")) return;
  std::string word;
  if (verb == "types") {
    rules.types.clear();
    while (words >> word) rules.types.insert(static_cast<std::uint32_t>(number(word, line)));
  } else if (verb == "event") {
    std::string name, type, config;
    words >> name >> type >> config;
    rules.events[{static_cast<std::uint32_t>(number(type, line)), number(config, line)}] = name;
  } else if (verb == "fixed") {
    while (words >> word) rules.fixed.insert(word);
  } else if (verb == "counters") {
    words >> word;
    rules.counters = static_cast<std::uint32_t>(number(word, line));
  } else if (verb == "exclusive") {
    words >> word;
    rules.exclusive = static_cast<std::uint32_t>(number(word, line));
  } else if (verb == "thread") {
    rules.threads.push_back(thread_rule(words, line));
  } else if (verb == "running") {
    rules.running.push_back(running_rule(words, line));
  } else if (verb == "sample" || verb == "lost") {
    rules.samples.push_back(sample_rule(words, line, verb == "lost"));
  } else if (verb == "rings") {
    words >> word;
    rules.rings = static_cast<std::uint32_t>(number(word, line));
  } else if (verb == "rdpmc") {
    rules.rdpmc = words >> word ? number(word, line) : 0;
  } else if (verb == "without") {
    while (words >> word) rules.without.insert(word);
  } else if (verb == "error") {
    rules.errors.push_back(error_rule(words, line));
  } else {
    wrong(line);
  }
}

}  // namespace

bool matches(const std::string& pattern, const Subject& subject) {
  return pattern == std::to_string(subject.tid) ||
         ::fnmatch(pattern.c_str(), subject.name.c_str(), 0) == 0;
}

std::uint64_t Expression::value(const Subject& subject) const {
  switch (kind) {
    case Kind::kFixed: return offset;
    case Kind::kTid: return factor * static_cast<std::uint64_t>(subject.tid) + offset;
    case Kind::kIndex: {
      const std::size_t last = subject.name.find_last_not_of("0123456789");
      const std::string digits = subject.name.substr(last == std::string::npos ? 0 : last + 1);
      return factor * std::strtoull(digits.c_str(), nullptr, 10) + offset;
    }
    case Kind::kPerMicrosecond: return factor * (subject.running_ns / 1000);
  }
  std::abort();
}

bool Rules::ask_for_names() const {
  for (const ThreadRule& rule : threads) {
    if (is_name(rule.pattern)) return true;
    for (const auto& [event, expression] : rule.user)
      if (expression.kind == Expression::Kind::kIndex) return true;
  }
  for (const RunningRule& rule : running)
    if (is_name(rule.pattern)) return true;
  for (const SampleRule& rule : samples) {
    if (is_name(rule.pattern)) return true;
    for (const auto& [event, expression] : rule.counts)
      if (expression.kind == Expression::Kind::kIndex) return true;
  }
  return false;
}

int Rules::error_of(Code code, bool counts_kernel, std::uint64_t opened) const {
  for (const ErrorRule& rule : errors)
    if (rule.type.value_or(code.first) == code.first &&
        rule.config.value_or(code.second) == code.second && opened >= rule.after &&
        (counts_kernel || !rule.kernel_only))
      return rule.error;
  return 0;
}

bool Rules::is_general(Code code) const {
  const auto event = events.find(code);
  return event == events.end() || !fixed.contains(event->second);
}

std::uint32_t Rules::running_percent(std::uint32_t type, const Subject& subject) const {
  for (const RunningRule& rule : running)
    if (rule.type.value_or(type) == type && matches(rule.pattern, subject)) return rule.percent;
  return 100;
}

std::uint64_t Rules::count(Code code, bool counts_kernel, const Subject& subject) const {
  const auto event = events.find(code);
  if (event == events.end()) return 0;
  for (const ThreadRule& rule : threads) {
    if (!matches(rule.pattern, subject)) continue;
    std::uint64_t total = 0;
    if (const auto user = rule.user.find(event->second); user != rule.user.end())
      total += user->second.value(subject);
    if (const auto kernel = rule.kernel.find(event->second);
        counts_kernel && kernel != rule.kernel.end())
      total += kernel->second.value(subject);
    return total;
  }
  return 0;
}

Rules parse_rules(const std::string& text) {
  Rules rules;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) take_line(rules, line);
  return rules;
}

}  // namespace bops::pmu_double
