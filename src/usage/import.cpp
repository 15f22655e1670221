#include "usage/import.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "usage/digest.hpp"
#include "usage/line_reader.hpp"
#include "usage/records_files.hpp"
#include "usage/usage_timeline.hpp"

namespace bops {
namespace {

constexpr std::size_t kBatchRecords = 10'000;
constexpr std::size_t kBatchBytes = std::size_t{8} << 20U;
constexpr std::size_t kKeptBytes = 1024;

/// Empty where the file cannot be taken up again (standard input, a FIFO).
std::string identity_of(const std::string& file) {
  struct stat status {};
  if (file == "-" || ::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) + ":" +
         std::to_string(status.st_size) + ":" + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec);
}

class Import {
 public:
  Import(Ledger& ledger, UtcNs now, const std::function<void(const QuarantinedLine&)>& on_problem)
      : ledger_(ledger), now_(now), on_problem_(on_problem) {}

  Result<void> read_records(const std::string& file) {
    ++report_.files;
    auto reader = LineReader::open(file, kMaxLineSize);
    if (!reader) return tl::unexpected(reader.error());
    ImportProgress progress{file == "-" ? file : std::filesystem::absolute(file).string(),
                            identity_of(file), 0, 0, false};
    if (auto taken_up = take_up(*reader, progress); !taken_up) return taken_up;
    for (Line line{};;) {
      const auto more = reader->next(line);
      if (!more) return tl::unexpected(more.error());
      if (!*more) break;
      take(progress.file, line);
      progress.offset = line.end;
      progress.lines = line.number;
      if (batch_.records.size() >= kBatchRecords || bytes_ >= kBatchBytes)
        if (auto flushed = flush(&progress); !flushed) return flushed;
    }
    progress.done = true;
    return flush(&progress);
  }

  Result<void> read_checkpoints(const std::string& file) {
    auto reader = LineReader::open(file, kMaxLineSize);
    if (!reader) return tl::unexpected(reader.error());
    for (Line line{};;) {
      const auto more = reader->next(line);
      if (!more) return tl::unexpected(more.error());
      if (!*more) return flush(nullptr);
      // Whether it is one that proves something, bops usage verify asks.
      if (auto checkpoint = parse_checkpoint_line(line.text)) {
        batch_.checkpoints.push_back(*std::move(checkpoint));
        ++report_.checkpoints;
      } else {
        quarantine(file, line, "not a checkpoint: " + checkpoint.error().message);
      }
      if (batch_.checkpoints.size() >= kBatchRecords)
        if (auto flushed = flush(nullptr); !flushed) return flushed;
    }
  }

  [[nodiscard]] const ImportReport& report() const { return report_; }

 private:
  Result<void> take_up(LineReader& reader, ImportProgress& progress) {
    if (progress.identity.empty()) return {};
    const auto before = ledger_.progress_of(progress.file);
    if (!before) return tl::unexpected(before.error());
    if (!*before || (*before)->done || (*before)->identity != progress.identity) return {};
    progress = **before;
    report_.resumed += progress.lines;
    return reader.seek(progress.offset, progress.lines + 1);
  }

  void take(const std::string& file, const Line& line) {
    if (line.text.empty() && !line.too_long) return;
    ++report_.lines;
    if (line.too_long) return quarantine(file, line, "the line is longer than 65536 bytes");
    auto record = parse_usage_line(line.text);
    if (!record)
      return quarantine(file, line,
                        line.complete ? record.error().message
                                      : "the line is cut short, or still being written: " +
                                            record.error().message);
    bytes_ += line.text.size();
    batch_.records.push_back({std::string(line.text), *std::move(record)});
  }

  void quarantine(const std::string& file, const Line& line, const std::string& reason) {
    QuarantinedLine bad{file, line.number, reason, base64_of(line.text.substr(0, kKeptBytes)),
                        sha256_hex(line.text)};
    if (on_problem_) on_problem_(bad);
    bytes_ += bad.bytes.size() + reason.size();
    batch_.quarantined.push_back(std::move(bad));
  }

  Result<void> flush(const ImportProgress* progress) {
    batch_.received = now_;
    if (progress != nullptr && !progress->identity.empty()) batch_.progress = *progress;
    const auto counts = ledger_.append(batch_);
    if (!counts) return tl::unexpected(counts.error());
    report_.counts += *counts;
    batch_ = {};
    bytes_ = 0;
    return {};
  }

  Ledger& ledger_;
  UtcNs now_;
  const std::function<void(const QuarantinedLine&)>& on_problem_;
  ImportReport report_;
  LedgerBatch batch_;
  std::size_t bytes_ = 0;
};

}  // namespace

Result<ImportReport> import_records(Ledger& ledger, const std::vector<std::string>& paths,
                                    UtcNs now,
                                    const std::function<void(const QuarantinedLine&)>& on_problem) {
  Import import(ledger, now, on_problem);
  std::set<std::string> checkpoints;
  for (const std::string& path : paths) {
    const auto files = records_files(path);
    if (!files) return tl::unexpected(files.error());
    for (const std::string& file : *files) {
      if (auto read = import.read_records(file); !read) return tl::unexpected(read.error());
      if (is_there(checkpoints_beside(file))) checkpoints.insert(checkpoints_beside(file));
    }
    if (is_directory(path)) {
      const auto more = checkpoints_files(path);
      if (!more) return tl::unexpected(more.error());
      checkpoints.insert(more->begin(), more->end());
    }
  }
  for (const std::string& file : checkpoints)
    if (auto read = import.read_checkpoints(file); !read) return tl::unexpected(read.error());
  return import.report();
}

Result<std::unique_ptr<Ledger>> open_records(
    const std::string& where, const std::function<void(const QuarantinedLine&)>& on_problem) {
  if (names_ledger(where)) return Ledger::open(where, false);
  auto ledger = Ledger::open("", true);
  if (!ledger) return ledger;
  const auto imported = import_records(**ledger, {where}, now_on_both_clocks().utc, on_problem);
  if (!imported) return tl::unexpected(imported.error());
  return ledger;
}

}  // namespace bops
