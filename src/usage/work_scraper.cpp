#include "usage/work_scraper.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "platform/quiet_thread.hpp"

namespace bops {
namespace {

constexpr int kTimeoutMs = 2000;
constexpr std::chrono::seconds kBetweenReads{5};
constexpr std::chrono::milliseconds kPatience{1000};
constexpr double kMaxCount = 9007199254740992.0;  // 2^53: above it doubles lose units

struct KnownCounter {
  std::string_view name;  ///< without _total
  std::string_view meter;
  bool is_tokens;
};
constexpr std::array<KnownCounter, 5> kCounters{
    {{"vllm:prompt_tokens", "tokens_input", true},
     {"vllm:generation_tokens", "tokens_output", true},
     {"vllm:request_success", "requests", false},
     {"llamacpp:prompt_tokens", "tokens_input", true},
     {"llamacpp:tokens_predicted", "tokens_output", true}}};

/// The unit of bops_work_total{unit="tokens"}; empty if it has none.
std::string unit_label(std::string_view labels) {
  constexpr std::string_view kStart = "unit=\"";
  const std::size_t begin = labels.find(kStart);
  if (begin == std::string_view::npos) return {};
  labels.remove_prefix(begin + kStart.size());
  return std::string(labels.substr(0, labels.find('"')));
}

void take_line(std::string_view line, ServedWork& work) {
  if (line.empty() || line.front() == '#') return;
  const std::size_t name_end = line.find_first_of("{ \t");
  if (name_end == std::string_view::npos) return;
  std::string_view name = line.substr(0, name_end);
  std::string_view labels, rest = line.substr(name_end);
  if (rest.front() == '{') {
    const std::size_t end = rest.rfind('}');
    if (end == std::string_view::npos) return;
    labels = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  const std::string number(rest.substr(0, 64));
  char* number_end = nullptr;
  const double value = std::strtod(number.c_str(), &number_end);
  if (number_end == number.c_str() || !std::isfinite(value) || value < 0 || value > kMaxCount)
    return;
  if (name == "bops_work_total") {
    if (const std::string unit = unit_label(labels); !unit.empty()) work[unit] += value;
    return;
  }
  if (name.ends_with("_total")) name.remove_suffix(6);
  for (const KnownCounter& counter : kCounters) {
    if (counter.name != name) continue;
    work[std::string(counter.meter)] += value;
    if (counter.is_tokens) work["tokens"] += value;
  }
}

}  // namespace

ServedWork parse_served_work(std::string_view metrics) {
  ServedWork work;
  while (!metrics.empty()) {
    const std::size_t end = std::min(metrics.find('\n'), metrics.size());
    take_line(metrics.substr(0, end), work);
    metrics.remove_prefix(std::min(end + 1, metrics.size()));
  }
  return work;
}

void ServedWorkSum::add(const ServedWork& now) {
  for (const auto& [meter, count] : now) {
    const double before = last_.contains(meter) ? last_[meter] : 0;
    const double added = count >= before ? count - before : count;  // it started again
    total_[meter] += static_cast<std::uint64_t>(added);
    last_[meter] = count;
  }
}

Result<void> WorkScraper::check_url(const std::string& url) {
  if (url.starts_with("http://") && url.size() > 7) return {};
  return failure("--work-from " + url + " is not an http:// URL",
                 "name the server's metrics: http://127.0.0.1:8000/metrics");
}

WorkScraper::WorkScraper(std::string url, bool since_start)
    : url_(std::move(url)), started_(since_start), thread_(quiet_thread([this] { run(); })) {}

WorkScraper::~WorkScraper() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WorkScraper::run() {
  std::unique_lock lock(mutex_);
  while (!end_) {
    const std::uint64_t asked = asked_;
    lock.unlock();
    const auto body = http_get(url_, kTimeoutMs);
    lock.lock();
    current_ = body.has_value();
    problem_ = body ? "" : body.error().message;
    if (body) {
      const ServedWork now = parse_served_work(*body);
      started_ ? sum_.add(now) : sum_.start_from(now);
      started_ = true;
    }
    answered_ = asked;
    changed_.notify_all();
    changed_.wait_for(lock, kBetweenReads, [&] { return end_ || asked_ > answered_; });
  }
}

WorkScraper::State WorkScraper::read() {
  std::unique_lock lock(mutex_);
  const std::uint64_t asked = ++asked_;
  changed_.notify_all();
  const bool answered = changed_.wait_for(lock, kPatience, [&] { return answered_ >= asked; });
  return {sum_.total(), answered && current_,
          answered ? problem_ : url_ + " has not answered within a second"};
}

}  // namespace bops
