#include "cli/cli.hpp"

#include <malloc.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string_view>

#include "launch/file_size_signal.hpp"
#include "model/version.hpp"
#include "platform/files.hpp"
#include "report/escape.hpp"

namespace bops {
namespace {

constexpr int kUsageError = static_cast<int>(FailureKind::kRefused);

void start_log(const std::string& level) {
  auto logger = spdlog::stderr_logger_st("bops");
  logger->set_level(spdlog::level::from_str(level));
  logger->set_pattern("bops %l: %v");
  spdlog::set_default_logger(std::move(logger));
}

/// Divides argv at the first "--": ours before, the target's behind it, byte by byte.
std::vector<std::string> take_command(int argc, char** argv, std::vector<std::string>& ours) {
  const auto words = std::vector<std::string>(argv + 1, argv + argc);
  const auto dashes = std::find(words.begin(), words.end(), "--");
  ours.assign(words.begin(), dashes);
  return {dashes == words.end() ? dashes : dashes + 1, words.end()};
}

/// bops lives for one report: what it gives back to the kernel it asks for again, page by page.
void keep_freed_memory() {
  constexpr int kNever = 1 << 30, kStep = 4 << 20;  // bytes
  ::mallopt(M_TRIM_THRESHOLD, kNever);
  ::mallopt(M_MMAP_THRESHOLD, kStep * 8);  // no more is accepted
  ::mallopt(M_TOP_PAD, kStep);
}

/// `status`, or that of the failure if what was printed has not all been taken.
int with_output_written(int status) {
  errno = 0;
  if (std::cout.flush()) return status;
  if (errno != 0) return report_error(io_error("write", "standard output", errno));
  // It was an earlier write that failed.
  return report_error({"cannot write all of the output to standard output",
                       "check that there is space where it goes", FailureKind::kRefused});
}

}  // namespace

int report_error(const Error& error) {
  std::cerr << "bops: " << printable(error.message) << '\n';
  if (!error.remedy.empty()) std::cerr << "      " << printable(error.remedy) << '\n';
  return static_cast<int>(error.kind);
}

CLI::Validator positive_number() {
  return CLI::Validator(
      [](const std::string& word) {
        const bool digits = !word.empty() && word.find_first_not_of("0123456789") == word.npos;
        if (digits && word.find_first_not_of('0') != word.npos) return std::string();
        return printable(word) + " is not a whole number above 0";
      },
      "NUMBER above 0");
}

bool use_colour(const std::string& choice, int fd) {
  if (choice != "auto") return choice == "always";
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && ::isatty(fd) != 0;
}

int run_cli(int argc, char** argv, Collectors collectors) {
  keep_freed_memory();
  ignore_file_size_signal();
  CLI::App app("Counts the basic operations (BOPs) that a program executes.", "bops");
  app.set_version_flag("--version", std::string("bops ") + kVersion);
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string("bops: ") + error.what() + "\n      bops --help lists the sub-commands, " +
           "bops COMMAND --help the options\n";
  });
  std::string log_level = "off";
  app.add_option("--log", log_level, "Diagnostics of bops itself on stderr")
      ->check(CLI::IsMember({"off", "error", "warn", "info", "debug", "trace"}))
      ->capture_default_str();
  app.fallthrough();

  std::vector<std::string> ours;
  Invocation invocation{collectors, take_command(argc, argv, ours)};
  app.parse_complete_callback([&] { start_log(log_level); });
  add_run_command(app, invocation);
  add_attach_command(app, invocation);
  add_doctor_command(app, invocation);
  add_recover_command(app, invocation);
  add_report_command(app, invocation);
  add_calibrate_command(app, invocation);
  add_validate_command(app, invocation);
  add_usage_command(app, invocation);
  try {
    std::reverse(ours.begin(), ours.end());  // CLI11 takes a vector last word first
    app.parse(std::move(ours));
  } catch (const CLI::RuntimeError& status) {
    return with_output_written(status.get_exit_code());
  } catch (const CLI::ParseError& error) {
    std::ostringstream help;  // CLI11 ends it with a flush, after which nobody knows its errno
    const bool is_help = app.exit(error, help, std::cerr) == 0;
    std::cout << help.str();
    return with_output_written(is_help ? 0 : kUsageError);
  }
  return with_output_written(0);
}

}  // namespace bops
