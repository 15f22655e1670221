#include "launch/interpreter.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/platform/temporary_directory.hpp"

namespace bops {
namespace {

std::string write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

TEST(ProgramBehind, a_program_is_itself_with_its_links_resolved) {
  EXPECT_EQ(program_behind("/proc/self/exe"), std::filesystem::canonical("/proc/self/exe"));
}

TEST(ProgramBehind, scripts_are_followed_to_the_last_interpreter) {
  const TemporaryDirectory directory;
  const std::string shell = std::filesystem::canonical("/bin/sh");
  const std::string inner = write(directory.path() + "/inner", "#! \t/bin/sh -e\n");
  const std::string outer = write(directory.path() + "/outer", "#!" + inner + "\n#!/bin/none\n");
  EXPECT_EQ(program_behind(inner), shell);
  EXPECT_EQ(program_behind(outer), shell);
}

TEST(ProgramBehind, a_script_that_runs_itself_ends) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/endless";
  write(path, "#!" + path + "\n");
  EXPECT_EQ(program_behind(path), std::filesystem::canonical(path));
}

TEST(ProgramBehind, what_cannot_be_read_is_given_back) {
  EXPECT_EQ(program_behind("/no/such/program"), "/no/such/program");
}

}  // namespace
}  // namespace bops
