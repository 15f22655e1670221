// A native engine that does not work is found out before it is trusted, with the reason and a
// remedy.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/harness/sanitized.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::run;
using harness::TemporaryDirectory;

/// A bops whose engine is `engine`, a script or program, or is missing if that is empty.
class OtherEngine {
 public:
  explicit OtherEngine(const std::string& script) {
    namespace fs = std::filesystem;
    const fs::path build = fs::path(bops_program()).parent_path();
    fs::create_directories(directory_ / "lib/bops");
    fs::copy_file(bops_program(), directory_ / "bops");
    fs::copy_file(build / "lib/bops/bops-known-work", directory_ / "lib/bops/bops-known-work");
    if (!script.empty()) replace(script);
  }
  void replace(const std::string& script) const {
    const std::string engine = directory_ / "lib/bops/bops-native-engine";
    std::ofstream(engine) << script;
    ::chmod(engine.c_str(), 0755);
  }

  /// What doctor says of the collector named native.
  [[nodiscard]] nlohmann::json native(const std::string& before = "") const {
    const auto ended =
        run({"/bin/sh", "-c", before + "exec '" + (directory_ / "bops") + "' doctor --json"});
    const auto report = nlohmann::json::parse(ended.output);
    for (const auto& row : report.at("collectors"))
      if (row.at("name") == "native") return row;
    return nullptr;
  }
  [[nodiscard]] std::string bops() const { return directory_ / "bops"; }

 private:
  TemporaryDirectory directory_;
};

void expect_unusable(const nlohmann::json& row, const std::string& reason) {
  ASSERT_FALSE(row.is_null());
  EXPECT_FALSE(row.at("usable").get<bool>()) << row.dump(1);
  EXPECT_NE(row.at("reason").get<std::string>().find(reason), std::string::npos) << row.dump(1);
  EXPECT_FALSE(row.at("remedy").get<std::string>().empty());
}

TEST(NativeEngine, that_is_missing_is_said_to_be) {
  expect_unusable(OtherEngine("").native(), "not beside bops");
}

TEST(NativeEngine, that_fails_is_not_trusted_and_its_words_are_passed_on) {
  expect_unusable(OtherEngine("#!/bin/sh\necho cannot map memory >&2; exit 125\n").native(),
                  "status 125 (cannot map memory)");
  expect_unusable(OtherEngine("#!/bin/sh\nkill -SEGV $$\n").native(), "died of signal 11");
}

TEST(NativeEngine, that_counts_wrongly_is_not_trusted) {
  expect_unusable(OtherEngine("#!/bin/sh\nexit 0\n").native(), "counted 0 instructions");
}

TEST(NativeEngine, that_cannot_have_enough_address_space_is_said_to_need_it) {
  if (harness::kSanitized) GTEST_SKIP() << "a sanitizer needs more addresses than that";
  const OtherEngine engine("#!/bin/sh\nexit 0\n");
  const auto row = engine.native("ulimit -v 4000000; ");
  expect_unusable(row, "limit on address space");
  EXPECT_NE(row.at("remedy").get<std::string>().find("ulimit -v"), std::string::npos);
}

TEST(NativeEngine, that_does_not_work_makes_a_run_refuse_before_the_target_starts) {
  const OtherEngine engine("#!/bin/sh\nexit 3\n");
  const TemporaryDirectory directory;
  const auto ended = run({engine.bops(), "run", "--collector", "native", "--", "/usr/bin/touch",
                          directory / "touched"});
  EXPECT_EQ(ended.code, 125);
  EXPECT_NE(ended.errors.find("does not work here"), std::string::npos) << ended.errors;
  EXPECT_FALSE(std::filesystem::exists(directory / "touched"));
}

/// How often the engine that writes to `log` has counted its known work.
std::size_t checks_in(const std::string& log) {
  std::ifstream file(log);
  std::size_t checks = 0;
  for (std::string line; std::getline(file, line);)
    checks += line.find("bops-known-work") != std::string::npos ? 1 : 0;
  return checks;
}

TEST(NativeEngine, is_checked_before_the_first_run_after_it_changed_and_whenever_doctor_asks) {
  namespace fs = std::filesystem;
  const TemporaryDirectory directory;
  const std::string log = directory / "log";
  const std::string real =
      (fs::path(bops_program()).parent_path() / "lib/bops/bops-native-engine").string();
  const std::string script =
      "#!/bin/sh\necho \"$@\" >> '" + log + "'\nexec '" + real + "' \"$@\"\n";
  const OtherEngine engine(script);
  const std::map<std::string, std::string> state = {{"BOPS_STATE_DIR", directory / "state"}};
  const auto count = [&] {
    EXPECT_EQ(run({engine.bops(), "run", "--collector", "native", "--", "/bin/true"}, state).code,
              0);
    return checks_in(log);
  };
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(count(), 1U) << "it has not changed";
  engine.replace(script + "# a comment\n");
  EXPECT_EQ(count(), 2U);
  EXPECT_EQ(run({engine.bops(), "doctor"}, state).code, 0);
  EXPECT_EQ(checks_in(log), 3U) << "who asks the doctor wants to know of now";
  EXPECT_EQ(count(), 3U);
  std::ofstream(directory / "state/native-engine-works") << "of another boot";
  EXPECT_EQ(count(), 4U);
  engine.replace("#!/bin/sh\nexit 3\n");
  EXPECT_EQ(run({engine.bops(), "run", "--collector", "native", "--", "/bin/true"}, state).code,
            125);
  EXPECT_FALSE(fs::exists(directory / "state/native-engine-works"));
}

}  // namespace
}  // namespace bops
