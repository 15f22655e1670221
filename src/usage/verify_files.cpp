#include "usage/verify_files.hpp"

#include <algorithm>
#include <filesystem>

#include "usage/ledger.hpp"
#include "usage/line_reader.hpp"
#include "usage/push.hpp"
#include "usage/records_files.hpp"
#include "usage/usage_record.hpp"

namespace bops {
namespace {

constexpr std::size_t kUuidSize = 36;

/// bops names the files of a directory after the run: one under another run's name was replayed.
void check_name(const std::string& file, std::string_view line, ChainVerifier& verifier) {
  const std::string stem = std::filesystem::path(file).stem().string();
  if (stem.size() != kUuidSize || std::count(stem.begin(), stem.end(), '-') != 4) return;
  const auto record = parse_usage_line(line);
  if (record && run_of_source(record->key.source) != stem)
    verifier.add_problem({file, 1}, "the file is named after another run than that of its records");
}

Result<void> add_records_of(const std::string& file, ChainVerifier& verifier) {
  return for_each_line(file, kMaxLineSize, [&](const Line& line) {
    if (line.number == 1) check_name(file, line.text, verifier);
    if (line.too_long)
      verifier.add_problem({file, line.number}, "not a usage record: longer than 65536 bytes");
    else
      verifier.add_line({file, line.number}, line.text, !line.complete);
    return Result<void>();
  });
}

}  // namespace

Result<void> add_checkpoints_of(const std::string& file, bool must_have_records,
                                ChainVerifier& verifier) {
  return for_each_line(file, kMaxLineSize, [&](const Line& line) {
    verifier.add_checkpoint({file, line.number}, line.text, !line.complete, must_have_records);
    return Result<void>();
  });
}

Result<VerifyReport> verify_files(const std::vector<std::string>& paths,
                                  const std::vector<std::string>& second_places,
                                  const TrustedKeys& trusted, const std::string& expected_source) {
  ChainVerifier verifier(trusted);
  verifier.expect_source(expected_source);
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    const auto found = records_files(path);
    if (!found) return tl::unexpected(found.error());
    files.insert(files.end(), found->begin(), found->end());
    std::vector<std::string> checkpoints;
    if (is_directory(path)) {
      const auto in_it = checkpoints_files(path);
      if (!in_it) return tl::unexpected(in_it.error());
      checkpoints = *in_it;
    } else if (is_there(checkpoints_beside(path))) {
      checkpoints.push_back(checkpoints_beside(path));
    }
    for (const std::string& file : checkpoints)
      if (auto added = add_checkpoints_of(file, true, verifier); !added)
        return tl::unexpected(added.error());
  }
  const bool whole = std::all_of(paths.begin(), paths.end(), is_directory);
  for (const std::string& place : second_places) {
    const auto found = checkpoints_files(place);
    if (!found) return tl::unexpected(found.error());
    for (const std::string& file : *found)
      if (auto added = add_checkpoints_of(file, whole, verifier); !added)
        return tl::unexpected(added.error());
  }
  for (const std::string& file : files)
    if (auto added = add_records_of(file, verifier); !added) return tl::unexpected(added.error());
  return verifier.finish();
}

Result<VerifyReport> verify_ledger(const std::string& where,
                                   const std::vector<std::string>& second_places,
                                   const TrustedKeys& trusted, const std::string& expected_source) {
  const auto ledger = Ledger::open(where, false);
  if (!ledger) return tl::unexpected(ledger.error());
  ChainVerifier verifier(trusted);
  verifier.expect_source(expected_source);
  const std::string name = without_secrets(where);
  const auto checkpoints = (*ledger)->checkpoints();
  if (!checkpoints) return tl::unexpected(checkpoints.error());
  for (const Checkpoint& checkpoint : *checkpoints)
    verifier.add_checkpoint({name, 0}, checkpoint_line(checkpoint), false, true);
  for (const std::string& place : second_places) {
    const auto found = checkpoints_files(place);
    if (!found) return tl::unexpected(found.error());
    for (const std::string& file : *found)
      if (auto added = add_checkpoints_of(file, true, verifier); !added)
        return tl::unexpected(added.error());
  }
  const auto seen = (*ledger)->for_each_in_chains([&](const StoredRecord& record) -> Result<void> {
    verifier.add_line({name, static_cast<std::uint64_t>(record.n)}, record.line, false);
    return {};
  });
  if (!seen) return tl::unexpected(seen.error());
  return verifier.finish();
}

}  // namespace bops
