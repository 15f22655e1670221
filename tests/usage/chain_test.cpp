// Chains of records and their checkpoints: what was changed is found, and named.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/platform/temporary_directory.hpp"
#include "tests/usage/sample_usage.hpp"
#include "usage/chain_writer.hpp"
#include "usage/digest.hpp"
#include "usage/records_files.hpp"
#include "usage/verify_files.hpp"

namespace bops {
namespace {

constexpr const char* kSource = "/bops/host-a/boot/0b9d8e5c-0000-4000-8000-000000000001";
constexpr const char* kOther = "/bops/host-b/boot/0b9d8e5c-0000-4000-8000-000000000002";
const UtcNs kNow = *parse_utc("2026-11-22T20:00:00Z");

TrustedKeys trust(const SigningKey& key, const std::string& origin = "/bops/host-a/") {
  TrustedKeys keys;
  keys.add({key.public_key(), kNow - kNsPerHour, kNow + kNsPerHour, origin});
  return keys;
}

/// Writes a chain of records, with a checkpoint after each `every` of them and, if `close`, a
/// closing one.
void write_chain(const std::string& path, const std::string& source, const SigningKey& key,
                 std::size_t count, std::size_t every = 2, bool close = true,
                 const std::vector<std::string>& second_places = {}) {
  auto sink = open_file_sink(path, source, second_places);
  ASSERT_TRUE(sink) << sink.error().message;
  ChainWriter writer(source, key, *std::move(sink));
  ASSERT_TRUE(writer.checkpoint(kNow, false));
  for (const UsageRecord& record : samples::usage_chain(count, source)) {
    ASSERT_TRUE(writer.append({record}));
    if (writer.lines() % every == 0) {
      ASSERT_TRUE(writer.checkpoint(kNow, false));
    }
  }
  if (close) {
    ASSERT_TRUE(writer.checkpoint(kNow, true));
  }
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void add_text(const std::string& text, const std::function<void(std::string_view, bool)>& add) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    add(std::string_view(text).substr(begin, end - begin), end == std::string::npos);
    begin = end == std::string::npos ? text.size() : end + 1;
  }
}

VerifyReport verify_text(const std::string& records, const std::string& checkpoints,
                         const TrustedKeys& trusted) {
  ChainVerifier verifier(trusted);
  std::uint64_t line = 0;
  add_text(checkpoints, [&](std::string_view text, bool cut) {
    verifier.add_checkpoint({"checkpoints", ++line}, text, cut, true);
  });
  line = 0;
  add_text(records, [&](std::string_view text, bool cut) {
    verifier.add_line({"records", ++line}, text, cut);
  });
  return verifier.finish();
}

class Chain : public ::testing::Test {
 protected:
  void SetUp() override { write_chain(path_, kSource, key_, 6); }
  [[nodiscard]] VerifyReport verify(const std::vector<std::string>& second_places = {}) const {
    auto report = verify_files({path_}, second_places, trust(key_), "");
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : VerifyReport{};
  }
  /// The line that is named first after the lines of records were changed.
  std::uint64_t first_wrong(const std::function<void(std::vector<std::string>&)>& change) {
    auto lines = lines_of(path_);
    change(lines);
    write_text(path_, text_of(lines));
    const VerifyReport report = verify();
    return report.problems.empty() ? 0 : report.problems.front().place.line;
  }
  TemporaryDirectory directory_;
  const std::string path_ = directory_ / "records.jsonl";
  const SigningKey key_ = SigningKey::generate();
};

TEST_F(Chain, that_nobody_touched_is_right) {
  const VerifyReport report = verify();
  EXPECT_TRUE(report.problems.empty()) << report.problems.front().message;
  ASSERT_EQ(report.sources.size(), 1U);
  EXPECT_EQ(report.sources.front().lines, 6U);
  EXPECT_EQ(report.sources.front().vouched, 6U);
  EXPECT_TRUE(report.sources.front().closed);
}

TEST_F(Chain, of_which_any_byte_was_changed_is_found_and_the_line_named) {
  const TrustedKeys trusted = trust(key_);
  const std::string records = read_text(path_);
  const std::string checkpoints = read_text(checkpoints_beside(path_));
  std::uint64_t line = 1;
  for (std::size_t i = 0; i < records.size(); ++i) {
    std::string changed = records;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 7)));
    const auto report = verify_text(changed, checkpoints, trusted);
    ASSERT_FALSE(report.problems.empty()) << "byte " << i << " of line " << line;
    ASSERT_EQ(report.problems.front().place.line, line)
        << "byte " << i << ": " << report.problems.front().message;
    if (records[i] == '\n') ++line;
  }
}

TEST_F(Chain, of_which_any_byte_of_a_checkpoint_was_changed_is_found) {
  const TrustedKeys trusted = trust(key_);
  const std::string records = read_text(path_);
  const std::string checkpoints = read_text(checkpoints_beside(path_));
  for (std::size_t i = 0; i < checkpoints.size(); ++i) {
    std::string changed = checkpoints;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 7)));
    const auto report = verify_text(records, changed, trusted);
    const bool cut_short = i + 1 == checkpoints.size() && !report.notes.empty();
    ASSERT_TRUE(!report.problems.empty() || cut_short) << "byte " << i;
  }
}

TEST_F(Chain, that_lacks_a_line_is_found_at_that_line) {
  for (std::size_t gone = 0; gone < 6; ++gone) {
    write_chain(path_ + std::to_string(gone), kSource, key_, 6);
    auto lines = lines_of(path_ + std::to_string(gone));
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(gone));
    write_text(path_ + std::to_string(gone), text_of(lines));
    const auto report = verify_files({path_ + std::to_string(gone)}, {}, trust(key_), "");
    ASSERT_TRUE(report);
    ASSERT_FALSE(report->problems.empty()) << gone;
    EXPECT_EQ(report->problems.front().place.line, gone + 1);
  }
}

TEST_F(Chain, of_which_lines_were_swapped_or_doubled_is_found) {
  EXPECT_EQ(first_wrong([](auto& lines) { std::swap(lines[2], lines[3]); }), 3U);
  EXPECT_EQ(first_wrong([](auto& lines) { std::swap(lines[2], lines[3]); }), 0U) << "as it was";
  EXPECT_EQ(first_wrong([](auto& lines) { lines.insert(lines.begin() + 2, lines[1]); }), 3U);
}

TEST_F(Chain, whose_end_was_cut_off_is_truncated) {
  const std::string all = read_text(path_);
  for (std::size_t left = 0; left < all.size(); left += 97) {
    write_text(path_, all.substr(0, left));
    const VerifyReport report = verify();
    ASSERT_FALSE(report.problems.empty()) << left << " bytes left";
    EXPECT_NE(report.problems.front().message.find("truncated"), std::string::npos)
        << report.problems.front().message;
  }
}

TEST_F(Chain, that_was_written_anew_without_the_key_is_found_where_that_begins) {
  auto lines = lines_of(path_);
  std::string prev = sha256_hex(lines[1]);
  for (std::size_t i = 2; i < lines.size(); ++i) {
    auto record = *parse_usage_line(lines[i]);
    record.quantity /= 2;
    record.prev = prev;
    lines[i] = usage_line(record);
    prev = sha256_hex(lines[i]);
  }
  write_text(path_, text_of(lines));
  const VerifyReport report = verify();
  ASSERT_FALSE(report.problems.empty());
  EXPECT_EQ(report.problems.front().place.line, 3U);
  EXPECT_NE(report.problems.front().message.find("rewritten"), std::string::npos);
}

TEST_F(Chain, that_was_signed_anew_with_another_key_is_found) {
  const SigningKey forged = SigningKey::generate();
  std::filesystem::remove(path_);
  std::filesystem::remove(checkpoints_beside(path_));
  write_chain(path_, kSource, forged, 6);
  const VerifyReport report = verify();
  ASSERT_FALSE(report.problems.empty());
  EXPECT_NE(report.problems.front().message.find("not trusted"), std::string::npos);
}

TEST_F(Chain, of_which_all_checkpoints_are_gone_is_found) {
  write_text(checkpoints_beside(path_), "");
  const VerifyReport report = verify();
  ASSERT_FALSE(report.problems.empty());
  EXPECT_EQ(report.problems.front().place.line, 1U);
}

TEST_F(Chain, cut_off_together_with_its_checkpoints_is_found_by_the_second_place) {
  const std::string path = directory_ / "twice.jsonl";
  const std::string second = directory_ / "second";
  write_chain(path, kSource, key_, 6, 2, false, {second});
  auto records = lines_of(path);
  auto checkpoints = lines_of(checkpoints_beside(path));
  records.resize(4);
  checkpoints.pop_back();
  write_text(path, text_of(records));
  write_text(checkpoints_beside(path), text_of(checkpoints));
  EXPECT_TRUE(verify_files({path}, {}, trust(key_), "")->problems.empty()) << "looks whole";
  const auto report = verify_files({path}, {second}, trust(key_), "");
  ASSERT_FALSE(report->problems.empty());
  EXPECT_NE(report->problems.front().message.find("truncated"), std::string::npos);
}

TEST_F(Chain, of_another_host_in_place_of_it_is_found) {
  const SigningKey their_key = SigningKey::generate();
  const std::string theirs = directory_ / "theirs.jsonl";
  write_chain(theirs, kOther, their_key, 6);
  write_text(path_, read_text(theirs));
  EXPECT_FALSE(verify().problems.empty()) << "beside our checkpoints";
  write_text(checkpoints_beside(path_), read_text(checkpoints_beside(theirs)));
  EXPECT_FALSE(verify().problems.empty()) << "their key is not ours";
  TrustedKeys both = trust(key_);
  both.add({their_key.public_key(), kNow - kNsPerHour, kNow + kNsPerHour, "/bops/host-b/"});
  EXPECT_FALSE(verify_files({path_}, {}, both, "/bops/host-a/")->problems.empty())
      << "a source that is not expected";
  const std::string named = directory_ / "runs";
  std::filesystem::create_directory(named);
  std::filesystem::copy(path_, named + "/0b9d8e5c-0000-4000-8000-000000000001.jsonl");
  std::filesystem::copy(checkpoints_beside(path_),
                        named + "/0b9d8e5c-0000-4000-8000-000000000001.jsonl.checkpoints");
  EXPECT_FALSE(verify_files({named}, {}, both, "")->problems.empty()) << "named after another run";
}

TEST_F(Chain, with_lines_behind_its_last_checkpoint_has_an_open_interval) {
  const std::string path = directory_ / "open.jsonl";
  write_chain(path, kSource, key_, 5, 2, false);
  write_text(path, read_text(path) + R"({"specversion":"1.0","ty)");
  const auto report = verify_files({path}, {}, trust(key_), "");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->problems.empty());
  ASSERT_EQ(report->sources.size(), 1U);
  EXPECT_EQ(report->sources.front().vouched, 4U);
  EXPECT_EQ(report->sources.front().open_from.line, 5U);
  EXPECT_FALSE(report->sources.front().closed);
  ASSERT_EQ(report->notes.size(), 1U) << "the line that was being written";
  EXPECT_EQ(report->notes.front().place.line, 6U);
}

TEST_F(Chain, that_goes_on_behind_its_closing_checkpoint_is_wrong) {
  auto lines = lines_of(path_);
  auto record = *parse_usage_line(lines.back());
  record.seq = 6;
  record.key.id = "6";
  record.prev = sha256_hex(lines.back());
  write_text(path_, text_of(lines) + usage_line(record) + "\n");
  const VerifyReport report = verify();
  ASSERT_FALSE(report.problems.empty());
  EXPECT_EQ(report.problems.front().place.line, 7U);
}

TEST_F(Chain, signed_before_or_after_its_key_was_valid_is_wrong) {
  for (const auto& [from, to] : {std::pair{kNow + 1, kNow + 2}, std::pair{kNow - 2, kNow}}) {
    TrustedKeys keys;
    keys.add({key_.public_key(), from, to, "/bops/host-a/"});
    const auto report = verify_files({path_}, {}, keys, "");
    ASSERT_FALSE(report->problems.empty());
    EXPECT_NE(report->problems.front().message.find("not valid"), std::string::npos);
  }
}

TEST_F(Chain, of_two_sources_in_one_file_is_verified_source_by_source) {
  const std::string second = "/bops/host-a/boot/0b9d8e5c-0000-4000-8000-000000000009";
  write_chain(path_, second, key_, 3);
  EXPECT_TRUE(verify().problems.empty());
  EXPECT_EQ(verify().sources.size(), 2U);
  auto lines = lines_of(path_);
  lines.erase(lines.begin() + 7);
  write_text(path_, text_of(lines));
  EXPECT_EQ(verify().problems.front().place.line, 8U);
}

TEST_F(Chain, is_written_by_one_run_at_a_time) {
  const auto first = open_file_sink(path_, kSource, {});
  ASSERT_TRUE(first);
  const auto second = open_file_sink(path_, kSource, {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().remedy.find("directory"), std::string::npos);
}

TEST_F(Chain, goes_on_in_a_file_that_a_crash_has_left_with_half_a_line) {
  write_text(path_, read_text(path_) + "{\"half");
  write_chain(path_, "/bops/host-a/boot/other", key_, 2);
  EXPECT_TRUE(verify().problems.empty());
}

TEST(TrustedKeysFile, is_read_as_it_is_written_and_errors_name_the_line) {
  const SigningKey key = SigningKey::generate();
  const std::string line =
      trusted_key_line({key.public_key(), kNow, TrustedKey::kNoEnd, "/bops/host-a/"}, "of host a");
  const auto keys = TrustedKeys::parse("# ours\n\n" + line + "\n");
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_TRUE(keys->find(key.public_key().id(), "/bops/host-a/x", kNow));
  EXPECT_FALSE(keys->find(key.public_key().id(), "/bops/host-b/x", kNow));
  EXPECT_FALSE(keys->find(key.public_key().id(), "/bops/host-a/x", kNow - 1));
  for (const char* wrong : {"a b c", "0000 AAAA 2026-11-22T20:00:00Z - /bops/", "word"}) {
    const auto refused = TrustedKeys::parse(line + "\n" + wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_TRUE(refused.error().message.starts_with("line 2: ")) << refused.error().message;
  }
}

TEST(SigningKeyFile, is_kept_from_others_and_never_overwritten) {
  const TemporaryDirectory directory;
  const SigningKey key = SigningKey::generate();
  ASSERT_TRUE(key.write(directory / "key.pem"));
  EXPECT_FALSE(key.write(directory / "key.pem"));
  const auto again = SigningKey::read(directory / "key.pem");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(key.public_key().verifies("text", again->sign("text")));
  EXPECT_FALSE(key.public_key().verifies("other text", again->sign("text")));
  std::filesystem::permissions(directory / "key.pem", std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_FALSE(SigningKey::read(directory / "key.pem"));
}

// Ranks of a job read the key that one of them makes, as soon as it is there.
TEST(SigningKeyFile, is_there_whole_or_not_at_all) {
  const TemporaryDirectory directory;
  const SigningKey key = SigningKey::generate();
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  auto* const before = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit too_small{10, limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &too_small);
  const auto written = key.write(directory / "key.pem");
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, before);
  EXPECT_FALSE(written);
  EXPECT_TRUE(std::filesystem::is_empty(directory / ""));
}

}  // namespace
}  // namespace bops
