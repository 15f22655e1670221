// Scripts of shells, perl, sqlite3 and the compilers (scripts/): the same output and status under
// the native engine as alone, and every process counted.
#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>

#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using Words = std::vector<std::string>;

struct Script {
  const char* name;
  const char* interpreter;
  std::size_t processes;  ///< that it starts at least
  const char* needs;      ///< what it runs that a small system may lack
};

/// The first of these programs that is not found, or nothing.
std::string missing(const std::string& programs) {
  std::istringstream names(programs);
  for (std::string name; names >> name;)
    if (harness::run({"/bin/sh", "-c", "command -v " + name}).code != 0) return name;
  return "";
}

class ScriptRun : public ::testing::TestWithParam<Script> {};

TEST_P(ScriptRun, does_under_the_engine_what_it_does_alone) {
  const Script& script = GetParam();
  if (::access(script.interpreter, X_OK) != 0)
    GTEST_SKIP() << script.interpreter << " is not installed";
  if (const std::string absent = missing(script.needs); !absent.empty())
    GTEST_SKIP() << absent << " is not installed";
  const std::string path = std::string(BOPS_NATIVE_SCRIPTS) + "/" + script.name;
  const Words command = std::string(script.name).ends_with(".sql")
                            ? Words{script.interpreter, "-batch", ":memory:", ".read " + path}
                            : Words{script.interpreter, path};
  const auto alone = harness::run(command);
  const auto counted = harness::count(command, {"--collector", "native"});
  EXPECT_EQ(alone.code, 0) << alone.errors;
  EXPECT_EQ(counted.ended.output, alone.output);
  EXPECT_EQ(counted.ended.errors, alone.errors);
  EXPECT_EQ(counted.ended.code, alone.code);
  ASSERT_FALSE(counted.record.is_null());
  EXPECT_EQ(counted.record.at("quality"), "exact") << counted.record.at("warnings").dump(1);
  EXPECT_GE(counted.record.at("processes").size(), script.processes);
}

INSTANTIATE_TEST_SUITE_P(Installed, ScriptRun,
                         ::testing::Values(Script{"coreutils.sh", "/bin/sh", 60,
                                                  "awk find tar gzip xz diff cmp"},
                                           Script{"shell.bash", "/bin/bash", 30, "diff"},
                                           Script{"perl.pl", "/usr/bin/perl", 10, ""},
                                           Script{"queries.sql", "/usr/bin/sqlite3", 1, ""},
                                           Script{"compile.sh", "/bin/sh", 30, "gcc g++ ar nm"}),
                         [](const auto& test) {
                           const std::string name = test.param.name;
                           return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace bops
