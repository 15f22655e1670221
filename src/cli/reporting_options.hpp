// The options of reports, the same for every sub-command that counts.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/error.hpp"
#include "report/render.hpp"

namespace bops {

struct ReportingOptions {
  std::string collector = "auto";
  std::string output;
  std::string format;
  std::string interval;
  std::string colour = "auto";
  std::vector<std::string> labels;
  bool per_thread = false;
  bool redact = false;
  bool with_kernel = false;
};

void add_reporting_options(CLI::App& command, ReportingOptions& options);

/// --label KEY=VALUE
[[nodiscard]] Result<std::map<std::string, std::string>> labels_of(const ReportingOptions& options);

/// What `option` was given; nothing if `text` is empty.
[[nodiscard]] Result<std::optional<std::chrono::nanoseconds>> duration_of(const std::string& option,
                                                                          const std::string& text);

/// For a report that goes to the descriptor `fd`.
[[nodiscard]] RenderOptions render_options(const ReportingOptions& options, int fd);

}  // namespace bops
