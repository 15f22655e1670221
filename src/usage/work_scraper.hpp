// Units of work that a server counts itself, read from its Prometheus endpoint.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "model/error.hpp"

namespace bops {

/// Cumulative counts by meter: tokens, tokens_input, tokens_output, requests.
using ServedWork = std::map<std::string, double>;

/// Of the text that vLLM or llama.cpp's server give at /metrics: the counters vllm:prompt_tokens,
/// vllm:generation_tokens and vllm:request_success (of all labels; with or without _total), and
/// llamacpp:prompt_tokens_total and llamacpp:tokens_predicted_total; or bops_work_total{unit="..."}
/// of any server. Lines that are none of these, or malformed, are passed over.
[[nodiscard]] ServedWork parse_served_work(std::string_view metrics);

/// Sums counters that start again from 0 when their server does.
class ServedWorkSum {
 public:
  void add(const ServedWork& now);
  /// Takes this state as the one to count from: what was served before is not the run's.
  void start_from(const ServedWork& now) { last_ = now; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& total() const { return total_; }

 private:
  ServedWork last_;
  std::map<std::string, std::uint64_t> total_;
};

/// Reads an http:// URL in a thread of its own, every few seconds and when asked to, so that a
/// server that does not answer holds up nothing.
class WorkScraper {
 public:
  /// `since_start`: the server was started by the run, so that all it has served counts; otherwise
  /// what it serves from the first answer on.
  WorkScraper(std::string url, bool since_start);
  WorkScraper(const WorkScraper&) = delete;
  WorkScraper& operator=(const WorkScraper&) = delete;
  ~WorkScraper();

  struct State {
    std::map<std::string, std::uint64_t> total;
    bool current = false;  ///< the server answered just now
    std::string problem;   ///< why it did not; empty if it did
  };
  /// Asks the server, and waits a moment for the answer.
  [[nodiscard]] State read();

  /// Fails unless it is an http:// URL.
  [[nodiscard]] static Result<void> check_url(const std::string& url);

 private:
  void run();

  const std::string url_;
  std::mutex mutex_;
  std::condition_variable changed_;
  ServedWorkSum sum_;
  bool started_;
  std::uint64_t asked_ = 0;     ///< reads that were asked for
  std::uint64_t answered_ = 0;  ///< of those, the last that is done
  bool current_ = false;
  std::string problem_;
  bool end_ = false;
  std::thread thread_;
};

/// The body of an answer 200 from an http:// URL.
[[nodiscard]] Result<std::string> http_get(const std::string& url, int timeout_ms);

}  // namespace bops
