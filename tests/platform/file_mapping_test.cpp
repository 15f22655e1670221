#include "platform/file_mapping.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/files.hpp"
#include "temporary_directory.hpp"

namespace bops {
namespace {

using Access = FileMapping::Access;

std::string text_of(const FileMapping& mapping) {
  const auto bytes = mapping.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(FileMapping, shows_the_content_of_the_file) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_whole(directory / "file", "content", 0600));
  const auto mapping = FileMapping::open(directory / "file", Access::kReadOnly);
  ASSERT_TRUE(mapping);
  EXPECT_EQ(text_of(*mapping), "content");
}

TEST(FileMapping, offers_no_writable_bytes_when_read_only) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_whole(directory / "file", "content", 0600));
  auto read_only = FileMapping::open(directory / "file", Access::kReadOnly);
  auto writable = FileMapping::open(directory / "file", Access::kReadWrite);
  ASSERT_TRUE(read_only && writable);
  EXPECT_TRUE(read_only->writable_bytes().empty());
  EXPECT_EQ(writable->writable_bytes().size(), 7U);
}

TEST(FileMapping, keeps_what_a_process_stored_before_it_was_killed) {
  const TemporaryDirectory directory;
  auto mapping = FileMapping::create(directory / "file", 10000);
  ASSERT_TRUE(mapping);
  const pid_t child = ::fork();
  if (child == 0) {
    mapping->writable_bytes()[9999] = std::byte{42};
    ::kill(::getpid(), SIGKILL);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(mapping->bytes()[9999], std::byte{42});
  const std::string content = read_file_whole(directory / "file").value();
  ASSERT_EQ(content.size(), 10000U);
  EXPECT_EQ(content[9999], '*');
}

TEST(FileMapping, a_created_file_is_private_new_and_zero) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(FileMapping::create(directory / "file", 5000));
  struct stat status {};
  ASSERT_EQ(::stat((directory / "file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(read_file_whole(directory / "file").value(), std::string(5000, '\0'));
  EXPECT_FALSE(FileMapping::create(directory / "file", 5000));
}

TEST(FileMapping, an_empty_file_is_an_empty_span) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_whole(directory / "file", "", 0600));
  const auto mapping = FileMapping::open(directory / "file", Access::kReadWrite);
  ASSERT_TRUE(mapping);
  EXPECT_TRUE(mapping->bytes().empty());
}

TEST(FileMapping, refuses_what_is_no_regular_file) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
  for (const std::string& path : {directory / "missing", directory / "fifo", directory.path()}) {
    const auto mapping = FileMapping::open(path, Access::kReadOnly);
    ASSERT_FALSE(mapping) << path;
    EXPECT_NE(mapping.error().message.find(path), std::string::npos);
  }
}

TEST(FileMapping, survives_being_moved) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_whole(directory / "a", "first", 0600));
  ASSERT_TRUE(write_file_whole(directory / "b", "second", 0600));
  auto first = FileMapping::open(directory / "a", Access::kReadOnly);
  auto second = FileMapping::open(directory / "b", Access::kReadOnly);
  FileMapping moved(std::move(*first));
  EXPECT_EQ(text_of(moved), "first");
  moved = std::move(*second);
  EXPECT_EQ(text_of(moved), "second");
}

}  // namespace
}  // namespace bops
