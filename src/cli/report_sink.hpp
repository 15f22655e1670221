// Where reports go: stderr after the target has ended, or the file of -o.
#pragma once

#include <string>

#include "cli/report_stream.hpp"
#include "model/run_record.hpp"
#include "report/format.hpp"

namespace bops {

/// Writes interval lines as they come, and the report at the end.
class ReportSink {
 public:
  /// `path` is that of -o, "-" for stdout, empty for stderr; `format_name` that of --format. With
  /// `intervals` the whole output is JSON lines. Fails before the target runs if the format is
  /// unknown or the file cannot be written. Waits for the reader of a FIFO.
  [[nodiscard]] static Result<ReportSink> open(std::string path, const std::string& format_name,
                                               bool intervals);

  /// Never waits for a reader.
  void write(const IntervalRecord& interval);
  /// Fails if anything, an interval included, could not be written.
  [[nodiscard]] Result<void> write(const RunRecord& record, const RenderOptions& options);

  [[nodiscard]] int fd() const;  ///< 1 or 2 where the report goes there, else -1

 private:
  ReportSink(std::string path, ReportStream stream, const Format* format, bool intervals)
      : path_(std::move(path)),
        stream_(std::move(stream)),
        format_(format),
        intervals_(intervals) {}
  [[nodiscard]] Result<void> put_in_file(const std::string& text);

  std::string path_;
  ReportStream stream_;  ///< where the report goes unless that is a regular file of its own
  const Format* format_;
  bool intervals_;
  bool started_ = false;
  Result<void> interval_result_;
};

}  // namespace bops
