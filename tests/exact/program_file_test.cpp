#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/harness/subprocess.hpp"

extern "C" {
#include "collectors/exact/program_file.h"
}

namespace bops::exact {
namespace {

class ProgramFile : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content, mode_t mode = 0755) {
    const std::string path = directory_ / name;
    std::ofstream(path, std::ios::binary) << content;
    ::chmod(path.c_str(), mode);
    return path;
  }
  const program_file& resolve(const std::string& path) {
    program_file_resolve(file_.get(), path.c_str());
    return *file_;
  }
  [[nodiscard]] std::vector<std::string> prefix() const {
    return {file_->prefix, file_->prefix + file_->prefix_count};
  }

  harness::TemporaryDirectory directory_;
  std::unique_ptr<program_file> file_ = std::make_unique<program_file>();
};

TEST_F(ProgramFile, takes_an_ordinary_program_as_it_is) {
  EXPECT_EQ(resolve("/bin/true").kind, PROGRAM_COUNTABLE);
  EXPECT_STREQ(file_->path, "/bin/true");
  EXPECT_TRUE(prefix().empty());
}

TEST_F(ProgramFile, resolves_a_script_with_one_argument_as_linux_does) {
  const std::string script = write("script", "#! /bin/sh  -e -u \t\necho\n");
  EXPECT_EQ(resolve(script).kind, PROGRAM_COUNTABLE);
  EXPECT_STREQ(file_->path, "/bin/sh");
  EXPECT_EQ(prefix(), (std::vector<std::string>{"/bin/sh", "-e -u", script}));
}

TEST_F(ProgramFile, resolves_scripts_whose_interpreter_is_a_script) {
  const std::string inner = write("inner", "#!/bin/sh x\n");
  const std::string outer = write("outer", "#!" + inner + " y\n");
  EXPECT_EQ(resolve(outer).kind, PROGRAM_COUNTABLE);
  EXPECT_EQ(prefix(), (std::vector<std::string>{"/bin/sh", "x", inner, "y", outer}));
}

TEST_F(ProgramFile, gives_up_on_a_script_that_interprets_itself) {
  const std::string path = directory_ / "self";
  EXPECT_EQ(resolve(write("self", "#!" + path + "\n")).kind, PROGRAM_INVALID);
}

TEST_F(ProgramFile, leaves_to_execve_what_execve_refuses) {
  EXPECT_EQ(resolve(directory_ / "missing").kind, PROGRAM_INVALID);
  EXPECT_EQ(resolve(directory_.path()).kind, PROGRAM_INVALID);
  EXPECT_EQ(resolve(write("empty", "")).kind, PROGRAM_INVALID);
  EXPECT_EQ(resolve(write("plain", "#!/bin/sh\n", 0644)).kind, PROGRAM_INVALID);
  EXPECT_EQ(resolve(write("nowhere", "#!/no/such/interpreter\n")).kind, PROGRAM_INVALID);
  EXPECT_EQ(resolve(write("blank", "#!  \n")).kind, PROGRAM_INVALID);
  EXPECT_EQ(resolve(write("endless", "#!/" + std::string(400, 'x'))).kind, PROGRAM_INVALID);
}

TEST_F(ProgramFile, knows_what_it_cannot_count_and_why) {
  std::string elf = harness::read_file("/bin/true").substr(0, 64);
  elf[4] = 1;  // EI_CLASS: ELFCLASS32
  EXPECT_EQ(resolve(write("elf32", elf)).kind, PROGRAM_UNCOUNTABLE);
  EXPECT_STREQ(file_->reason, "it is a 32-bit program");
  elf[4] = 2;
  elf[18] = static_cast<char>(0xb7);  // e_machine: EM_AARCH64
  EXPECT_EQ(resolve(write("arm", elf)).kind, PROGRAM_UNCOUNTABLE);
  EXPECT_EQ(resolve(write("text", "echo hello\n")).kind, PROGRAM_UNKNOWN);
}

TEST_F(ProgramFile, refuses_a_setuid_program_of_another_user) {
  std::filesystem::copy_file("/bin/true", directory_ / "setuid");
  const std::string path = directory_ / "setuid";
  if (::chown(path.c_str(), 12345, static_cast<gid_t>(-1)) != 0)
    GTEST_SKIP() << "only root can chown";
  ::chmod(path.c_str(), 04755);
  EXPECT_EQ(resolve(path).kind, PROGRAM_UNCOUNTABLE);
  ASSERT_EQ(::chown(path.c_str(), ::geteuid(), static_cast<gid_t>(-1)), 0);
  ::chmod(path.c_str(), 04755);
  EXPECT_EQ(resolve(path).kind, PROGRAM_COUNTABLE) << "it gains nothing from its owner";
}

TEST_F(ProgramFile, refuses_a_program_with_file_capabilities) {
  std::filesystem::copy_file("/bin/true", directory_ / "capable");
  const std::string path = directory_ / "capable";
  // Revision 2, effective, cap_net_raw; linux/capability.h.
  constexpr unsigned kCapabilities[] = {0x02000001, 1 << 13, 0, 0, 0};
  if (::setxattr(path.c_str(), "security.capability", kCapabilities, sizeof kCapabilities, 0) != 0)
    GTEST_SKIP() << "capabilities cannot be given to a file here";
  EXPECT_EQ(resolve(path).kind, PROGRAM_COUNTABLE) << "root gains nothing";
  ::chmod(directory_.path().c_str(), 0755);
  constexpr uid_t kNobody = 65534;
  ASSERT_EQ(::seteuid(kNobody), 0);
  const auto kind = resolve(path).kind;
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(kind, PROGRAM_UNCOUNTABLE);
  EXPECT_STREQ(file_->reason, "it has file capabilities");
}

TEST_F(ProgramFile, without_its_dynamic_loader_or_its_headers_is_left_to_execve) {
  std::string elf = harness::read_file("/bin/true");
  const auto at = elf.find("/lib64/ld-linux");
  ASSERT_NE(at, std::string::npos);
  elf[at + 1] = 'X';
  EXPECT_EQ(resolve(write("orphan", elf)).kind, PROGRAM_INVALID);
  EXPECT_EQ(resolve(write("cut_short", elf.substr(0, 100))).kind, PROGRAM_INVALID);
}

}  // namespace
}  // namespace bops::exact
