#include "platform/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "temporary_directory.hpp"

namespace bops {
namespace {

TEST(Files, what_is_written_is_what_is_read) {
  const TemporaryDirectory directory;
  std::string content("odd \0 bytes \xFF\n", 14);
  while (content.size() < 300'000) content += content;
  ASSERT_TRUE(write_file_whole(directory / "file", content, 0600));
  EXPECT_EQ(read_file_whole(directory / "file").value(), content);
}

TEST(Files, a_shorter_content_leaves_nothing_of_the_longer_one) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_whole(directory / "file", "a long content", 0600));
  ASSERT_TRUE(write_file_whole(directory / "file", "short", 0600));
  EXPECT_EQ(read_file_whole(directory / "file").value(), "short");
}

TEST(Files, a_new_file_has_the_mode_asked_for) {
  const TemporaryDirectory directory;
  for (const mode_t mode : {0600U, 0640U}) {
    const std::string path = directory / std::to_string(mode);
    ASSERT_TRUE(write_file_whole(path, "x", mode));
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, mode);
  }
}

TEST(Files, a_full_device_is_an_error_with_a_remedy) {
  const auto written = write_file_whole("/dev/full", "x", 0600);
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("/dev/full"), std::string::npos);
  EXPECT_NE(written.error().message.find("No space left"), std::string::npos);
  EXPECT_FALSE(written.error().remedy.empty());
}

TEST(Files, a_write_cut_short_by_the_file_size_limit_is_an_error) {
  const TemporaryDirectory directory;
  // The first write(2) takes 10 bytes and reports success: only the next one fails.
  const rlimit ten_bytes{10, RLIM_INFINITY};
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto on_excess = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &ten_bytes), 0);
  const auto fits = write_file_whole(directory / "fits", "0123456789", 0600);
  const auto does_not = write_file_whole(directory / "not", "0123456789a", 0600);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, on_excess);
  EXPECT_TRUE(fits);
  ASSERT_FALSE(does_not);
  EXPECT_NE(does_not.error().message.find("File too large"), std::string::npos);
}

TEST(Files, a_missing_directory_is_an_error_that_names_the_path) {
  const TemporaryDirectory directory;
  const auto written = write_file_whole(directory / "missing/file", "x", 0600);
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find(directory / "missing/file"), std::string::npos);
  EXPECT_FALSE(read_file_whole(directory / "missing/file"));
}

TEST(Files, a_dash_is_standard_output) {
  const TemporaryDirectory directory;
  const int file = ::open((directory / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  const int saved = ::dup(STDOUT_FILENO);
  ::dup2(file, STDOUT_FILENO);
  const auto written = write_file_whole("-", "report", 0600);
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  ::close(file);
  EXPECT_TRUE(written);
  EXPECT_EQ(read_file_whole(directory / "out").value(), "report");
}

TEST(Files, a_full_standard_output_is_an_error) {
  const int full = ::open("/dev/full", O_WRONLY);
  const int saved = ::dup(STDOUT_FILENO);
  ::dup2(full, STDOUT_FILENO);
  const auto written = write_file_whole("-", "report", 0600);
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  ::close(full);
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("standard output"), std::string::npos);
}

TEST(Files, leave_no_descriptor_open) {
  const TemporaryDirectory directory;
  const int before = ::dup(0);
  ::close(before);
  (void)write_file_whole(directory / "file", "x", 0600);
  (void)write_file_whole("/dev/full", "x", 0600);
  (void)read_file_whole(directory / "file");
  const int after = ::dup(0);
  ::close(after);
  EXPECT_EQ(before, after);
}

TEST(Files, the_executable_directory_holds_this_test) {
  const auto directory = executable_directory();
  ASSERT_TRUE(directory);
  EXPECT_TRUE(std::filesystem::equivalent(*directory + "/platform_test", "/proc/self/exe"));
}

}  // namespace
}  // namespace bops
