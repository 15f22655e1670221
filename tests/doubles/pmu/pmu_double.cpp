#include "tests/doubles/pmu/pmu_double.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "tests/harness/sanitized.hpp"

namespace bops {
namespace {

constexpr const char* kRules = "BOPS_PMU_DOUBLE";
constexpr const char* kPreload = "LD_PRELOAD";
constexpr std::pair<const char*, const char*> kSanitizerMayBeSecond{"ASAN_OPTIONS",
                                                                    "verify_asan_link_order=0"};

std::string with_double(const char* preload) {
  const std::string library = BOPS_PMU_DOUBLE_LIBRARY;
  return preload == nullptr || *preload == '\0' ? library : library + ":" + preload;
}

}  // namespace

PmuDouble::PmuDouble(const std::string& rules) {
  const char* folder = std::getenv("TMPDIR");
  path_ = std::string(folder != nullptr ? folder : "/tmp") + "/bops-pmu-double-XXXXXX";
  const int fd = ::mkstemp(path_.data());
  if (fd < 0) std::abort();
  ::close(fd);
  change(rules);
  ::setenv(kRules, path_.c_str(), 1);
}

PmuDouble::~PmuDouble() {
  ::unsetenv(kRules);
  ::unlink(path_.c_str());
  for (const char* written : {".events", ".rings", ".rdpmc"}) ::unlink((path_ + written).c_str());
}

void PmuDouble::change(const std::string& rules) {
  // A new file in the place of the old: never seen half written, and never taken for the old one.
  const std::string fresh = path_ + ".new";
  std::ofstream(fresh) << rules;
  if (std::rename(fresh.c_str(), path_.c_str()) != 0) std::abort();
}

std::map<std::string, std::string> PmuDouble::environment() const {
  std::map<std::string, std::string> variables{{kRules, path_},
                                               {kPreload, BOPS_PMU_DOUBLE_LIBRARY}};
  if (harness::kSanitized) variables.insert(kSanitizerMayBeSecond);
  return variables;
}

std::size_t PmuDouble::bytes_of(const char* written) const {
  std::error_code missing;
  const auto size = std::filesystem::file_size(path_ + written, missing);
  return missing ? 0 : static_cast<std::size_t>(size);
}

std::size_t PmuDouble::rings_mapped() const {
  return bytes_of(".rings");
}

std::size_t PmuDouble::counters_read() const {
  return bytes_of(".rdpmc");
}

const char* PmuDouble::skylake_events() {
  return "event instructions 4 0xc0\nevent loads 4 0x81d0\nevent stores 4 0x82d0\n"
         "event branches 4 0xc4\nevent cycles 4 0x3c\nfixed instructions cycles\n";
}

void run_with_pmu_double(char** argv) {
  const char* preload = std::getenv(kPreload);
  if (preload != nullptr && std::string(preload).find(BOPS_PMU_DOUBLE_LIBRARY) != std::string::npos)
    return;
  ::setenv(kPreload, with_double(preload).c_str(), 1);
  if (harness::kSanitized) ::setenv(kSanitizerMayBeSecond.first, kSanitizerMayBeSecond.second, 0);
  ::execv("/proc/self/exe", argv);
  std::perror("cannot run again with the PMU double");
  std::_Exit(1);
}

}  // namespace bops
