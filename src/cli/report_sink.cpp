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

/// Makes sure, before the target runs, that its report will have somewhere to go. The stream is
/// empty for a regular file, which is written as a whole at the end.
Result<ReportStream> open_for(const std::string& path) {
  if (path.empty()) return ReportStream::borrow(STDERR_FILENO, "standard error");
  if (path == "-") return ReportStream::borrow(STDOUT_FILENO, "standard output");
  auto stream = ReportStream::open(path);
  if (!stream || stream->is_open()) return stream;
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, kReportMode));
  if (fd) return stream;
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
  auto stream = open_for(path);
  if (!stream) return tl::unexpected(stream.error());
  return ReportSink(std::move(path), *std::move(stream), *format, intervals);
}

int ReportSink::fd() const {
  if (path_.empty()) return STDERR_FILENO;
  return path_ == "-" ? STDOUT_FILENO : -1;
}

Result<void> ReportSink::put_in_file(const std::string& text) {
  const bool again = std::exchange(started_, true);
  return again ? append(path_, text) : write_file_whole(path_, text, kReportMode);
}

void ReportSink::write(const IntervalRecord& interval) {
  const std::string text = render_json_line(interval);
  auto written = stream_.is_open() ? stream_.offer(text) : put_in_file(text);
  if (!written && interval_result_) interval_result_ = std::move(written);
}

Result<void> ReportSink::write(const RunRecord& record, const RenderOptions& options) {
  const std::string text = intervals_ ? render_json_line(record) : format_->render(record, options);
  auto written = stream_.is_open() ? stream_.finish(text) : put_in_file(text);
  return interval_result_ ? written : interval_result_;
}

}  // namespace bops
