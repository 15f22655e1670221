#include "usage/usage_sink.hpp"

#include <filesystem>

#include "usage/growing_file.hpp"
#include "usage/ledger.hpp"
#include "usage/records_files.hpp"
#include "usage/usage_timeline.hpp"

namespace bops {
namespace {

Result<void> make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!is_directory(path))
    return failure("cannot make the directory " + path + ": " + error.message());
  return {};
}

/// The files of checkpoints in the second places, behind `first`, unless that is empty.
Result<std::vector<GrowingFile>> open_checkpoints(const std::string& first,
                                                  const std::string& source,
                                                  const std::vector<std::string>& second_places) {
  std::vector<std::string> paths;
  if (!first.empty()) paths.push_back(first);
  for (const std::string& directory : second_places) {
    if (auto made = make_directory(directory); !made) return tl::unexpected(made.error());
    paths.push_back(directory + "/" + run_of_source(source) + kCheckpointsSuffix);
  }
  std::vector<GrowingFile> files;
  for (const std::string& path : paths) {
    auto file = GrowingFile::open(path);
    if (!file) return tl::unexpected(file.error());
    files.push_back(*std::move(file));
  }
  return files;
}

Result<void> append_to_all(std::vector<GrowingFile>& files, const Checkpoint& checkpoint) {
  Result<void> all;
  for (GrowingFile& file : files)
    if (auto written = file.append(checkpoint_line(checkpoint) + "\n"); !written) all = written;
  return all;
}

class FileSink final : public UsageSink {
 public:
  FileSink(GrowingFile records, std::vector<GrowingFile> checkpoints)
      : records_(std::move(records)), checkpoints_(std::move(checkpoints)) {}

  Result<void> append(const std::vector<std::string>& lines) override {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return records_.append(text);
  }
  Result<void> append(const Checkpoint& checkpoint) override {
    return append_to_all(checkpoints_, checkpoint);
  }

 private:
  GrowingFile records_;
  std::vector<GrowingFile> checkpoints_;
};

class LedgerSink final : public UsageSink {
 public:
  LedgerSink(std::unique_ptr<Ledger> ledger, std::vector<GrowingFile> second_places)
      : ledger_(std::move(ledger)), second_places_(std::move(second_places)) {}

  Result<void> append(const std::vector<std::string>& lines) override {
    LedgerBatch batch;
    for (const std::string& line : lines) {
      auto record = parse_usage_line(line);
      if (!record) return tl::unexpected(record.error());
      batch.records.push_back({line, *std::move(record)});
    }
    return append(std::move(batch));
  }
  Result<void> append(const Checkpoint& checkpoint) override {
    LedgerBatch batch;
    batch.checkpoints.push_back(checkpoint);
    auto in_ledger = append(std::move(batch));
    auto in_files = append_to_all(second_places_, checkpoint);
    return in_ledger ? in_files : in_ledger;
  }

 private:
  Result<void> append(LedgerBatch batch) {
    batch.received = now_on_both_clocks().utc;
    const auto appended = ledger_->append(batch);
    if (!appended) return tl::unexpected(appended.error());
    return {};
  }
  std::unique_ptr<Ledger> ledger_;
  std::vector<GrowingFile> second_places_;
};

}  // namespace

Result<std::unique_ptr<UsageSink>> open_file_sink(const std::string& file_or_directory,
                                                  const std::string& source,
                                                  const std::vector<std::string>& second_places) {
  std::string path = file_or_directory;
  if (path.ends_with('/'))
    if (auto made = make_directory(path); !made) return tl::unexpected(made.error());
  if (is_directory(path)) path += "/" + run_of_source(source) + kRecordsSuffix;
  auto records = GrowingFile::open(path);
  if (!records) return tl::unexpected(records.error());
  auto checkpoints = open_checkpoints(checkpoints_beside(path), source, second_places);
  if (!checkpoints) return tl::unexpected(checkpoints.error());
  return std::make_unique<FileSink>(*std::move(records), *std::move(checkpoints));
}

Result<std::unique_ptr<UsageSink>> open_sink(const std::string& target, const std::string& source,
                                             const std::vector<std::string>& second_places) {
  if (!names_ledger(target)) return open_file_sink(target, source, second_places);
  auto ledger = Ledger::open(target, true);
  if (!ledger) return tl::unexpected(ledger.error());
  auto checkpoints = open_checkpoints("", source, second_places);
  if (!checkpoints) return tl::unexpected(checkpoints.error());
  return std::make_unique<LedgerSink>(*std::move(ledger), *std::move(checkpoints));
}

}  // namespace bops
