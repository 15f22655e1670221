#include "cli/report_sink.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "platform/files.hpp"
#include "platform/unique_fd.hpp"
#include "report/json.hpp"

namespace bops {
namespace {

constexpr mode_t kReportMode = 0600;  // counts tell what a user runs

/// Makes sure, before the target runs, that its report will have somewhere to go.
Result<void> check_writable(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, kReportMode));
  if (fd || errno == ENXIO) return {};  // a FIFO without a reader yet
  return failure("cannot write the report to " + path + ": " + std::strerror(errno),
                 "name a file in a directory that you can write to");
}

/// Writes at the end of `path`, which a line before it has made.
Result<void> append(const std::string& path, const std::string& text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!fd) return failure("cannot write to " + path + ": " + std::strerror(errno));
  return write_all(fd.get(), text, path);
}

}  // namespace

Result<ReportSink> ReportSink::open(std::string path, const std::string& format_name,
                                    bool intervals) {
  auto format = format_for(path, format_name);
  if (!format) {
    // Interval files are JSON lines whatever their name says.
    if (!intervals || !format_name.empty()) return tl::unexpected(format.error());
    format = find_format("json");
  }
  if (intervals && !format_name.empty() && (*format)->name != "json")
    return failure("--interval writes JSON lines, not " + format_name, "leave out --format");
  if (!path.empty() && path != "-")
    if (auto writable = check_writable(path); !writable) return tl::unexpected(writable.error());
  return ReportSink(std::move(path), *format, intervals);
}

int ReportSink::fd() const {
  if (path_.empty()) return STDERR_FILENO;
  return path_ == "-" ? STDOUT_FILENO : -1;
}

Result<void> ReportSink::put(const std::string& text) {
  if (path_.empty()) return write_all(STDERR_FILENO, text, "standard error");
  const bool again = std::exchange(started_, true);
  return again && path_ != "-" ? append(path_, text) : write_file_whole(path_, text, kReportMode);
}

void ReportSink::write(const IntervalRecord& interval) {
  if (auto written = put(render_json_line(interval)); !written && interval_result_)
    interval_result_ = std::move(written);
}

Result<void> ReportSink::write(const RunRecord& record, const RenderOptions& options) {
  auto written = put(intervals_ ? render_json_line(record) : format_->render(record, options));
  return interval_result_ ? written : interval_result_;
}

}  // namespace bops
