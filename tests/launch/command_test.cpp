#include "launch/command.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "../platform/temporary_directory.hpp"
#include "driver.hpp"
#include "platform/files.hpp"

namespace bops {
namespace {

/// A directory with a and b, in which tests put scripts; it is the current one.
class Command : public ::testing::Test {
 protected:
  Command() {
    std::filesystem::current_path(directory_.path());
    for (const char* name : {"a", "b"}) std::filesystem::create_directory(name);
  }
  ~Command() override { std::filesystem::current_path("/"); }
  static void script(const std::string& path, mode_t mode = 0755) {
    ASSERT_TRUE(write_file_whole(path, "#!/bin/sh\necho " + path + "\n", mode));
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }
  static Result<LaunchPlan> resolve(const std::string& name, const std::string& path) {
    return resolve_command({name}, {"LANG=C", "PATH=" + path});
  }
  [[nodiscard]] std::string here(const std::string& name) const { return directory_ / name; }
  static FailureKind kind_of_failure(const Result<LaunchPlan>& plan) {
    if (plan) return FailureKind{};
    EXPECT_FALSE(plan.error().message.empty());
    EXPECT_FALSE(plan.error().remedy.empty());
    return plan.error().kind;
  }

 private:
  TemporaryDirectory directory_;
};

TEST_F(Command, keeps_the_arguments_and_the_environment_as_they_are) {
  script("tool");
  const auto plan = resolve_command({"./tool", "", "a b"}, {"X=1", "X=2", "odd"});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->executable, here("tool"));
  EXPECT_EQ(plan->arguments, (Words{"./tool", "", "a b"}));
  EXPECT_EQ(plan->environment, (Words{"X=1", "X=2", "odd"}));
}

TEST_F(Command, takes_a_name_with_a_slash_for_a_path_and_never_searches_it) {
  script("a/tool");
  EXPECT_EQ(resolve("a/tool", "/nowhere")->executable, here("a/tool"));
  EXPECT_EQ(kind_of_failure(resolve("./tool", here("a"))), FailureKind::kNotFound);
}

TEST_F(Command, leaves_symbolic_links_alone) {
  script("tool");
  std::filesystem::create_symlink("../tool", "a/link");
  EXPECT_EQ(resolve("link", here("a"))->executable, here("a/link"));
}

TEST_F(Command, uses_the_default_path_if_there_is_none) {
  const auto plan = resolve_command({"sh"}, {});
  ASSERT_TRUE(plan);
  EXPECT_TRUE(std::filesystem::equivalent(plan->executable, "/bin/sh"));
}

TEST_F(Command, finds_exactly_what_execvp_executes) {
  script("tool");
  script("a/tool");
  script("b/tool");
  script("b/only_b");
  script("a/forbidden", 0644);
  script("b/forbidden");
  script("a/dull", 0644);
  std::filesystem::create_directory("a/folder");
  script("b/folder");
  std::filesystem::create_directory("a/just_folder");
  for (const std::string path : {"a:b", "b:a", "", ":", "a:", ":a", "b::a", "/nowhere:b", "tool:b",
                                 "a/../b:a", "b/", "./a", "a", "b"})
    for (const std::string name : {"tool", "only_b", "forbidden", "dull", "folder", "just_folder",
                                   "none", "", "./tool", "a/dull", "a/just_folder", "tool/x"}) {
      const Finished executed = run({"/bin/false"}, [&] {
        ::setenv("PATH", path.c_str(), 1);
        std::array<char*, 2> arguments{const_cast<char*>(name.c_str()), nullptr};
        ::execvp(name.c_str(), arguments.data());
        ::_exit(errno == ENOENT ? 127 : 126);
      });
      const auto plan = resolve(name, path);
      const std::string which = std::string("name: ").append(name).append(", PATH: ").append(path);
      if (executed.status == 0) {
        ASSERT_TRUE(plan) << which;
        EXPECT_TRUE(std::filesystem::equivalent(plan->executable,
                                                executed.out.substr(0, executed.out.size() - 1)))
            << which << " gave " << plan->executable << " for " << executed.out;
        EXPECT_TRUE(plan->executable.starts_with('/')) << which;
      } else {
        EXPECT_EQ(static_cast<int>(kind_of_failure(plan)), WEXITSTATUS(executed.status)) << which;
      }
    }
}

TEST_F(Command, says_what_is_wrong_and_what_to_do) {
  script("tool");
  script("plain", 0644);
  EXPECT_EQ(resolve("plain", "").error().remedy, "chmod +x ./plain");
  EXPECT_NE(resolve("./a", "").error().message.find("directory"), std::string::npos);
  EXPECT_NE(resolve("tool", here("a")).error().remedy.find("./tool"), std::string::npos);
  EXPECT_EQ(resolve("/dev/null", "").error().kind, FailureKind::kNotExecutable);
}

TEST_F(Command, refuses_an_empty_command_line) {
  EXPECT_EQ(kind_of_failure(resolve_command({}, {})), FailureKind::kRefused);
}

TEST_F(Command, refuses_a_relative_path_in_a_directory_that_is_gone) {
  std::filesystem::create_directory("gone");
  std::filesystem::current_path("gone");
  std::filesystem::remove(here("gone"));
  script(here("tool"));
  EXPECT_TRUE(resolve("tool", here(".")));
  EXPECT_NE(kind_of_failure(resolve("../tool", "")), FailureKind{});
}

TEST_F(Command, tells_permission_from_absence_for_an_ordinary_user) {
  script("a/tool");
  script("b/tool", 0600);
  ASSERT_EQ(::chmod("a", 0600), 0);  // may not be searched
  ASSERT_EQ(::chmod(here("").c_str(), 0755), 0);
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become an ordinary user";
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::setresgid(kNobody, kNobody, kNobody) != 0 || ::setresuid(kNobody, kNobody, kNobody) != 0)
      ::_exit(99);
    const auto unsearchable = resolve("./a/tool", "");
    const auto unpermitted = resolve("tool", "b:a");
    const bool good = kind_of_failure(unsearchable) == FailureKind::kNotExecutable &&
                      kind_of_failure(unpermitted) == FailureKind::kNotExecutable &&
                      unsearchable.error().message.find("searched") != std::string::npos &&
                      unpermitted.error().message.find("b/tool") != std::string::npos;
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace bops
