// The region library in programs: without an engine nothing happens; with one, what it is told.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "bops/region.h"
#include "collectors/region/region_protocol.h"
#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::target_program;

TEST(RegionLibrary, changes_nothing_natively) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{target_program("regions")},
        {target_program("regions_scoped")},
        {target_program("regions_loaded"), BOPS_REGION_LIBRARY}}) {
    const auto ended = harness::run(command);
    EXPECT_EQ(ended.code, 0) << command[0];
    EXPECT_EQ(ended.output, "done\n");
    EXPECT_EQ(ended.errors, "");
  }
}

TEST(RegionLibrary, needs_no_other_library_and_exports_its_functions_alone) {
  const auto dynamic = harness::run({"readelf", "-dW", BOPS_REGION_LIBRARY});
  ASSERT_EQ(dynamic.code, 0);
  EXPECT_EQ(dynamic.output.find("NEEDED"), std::string::npos) << dynamic.output;
  EXPECT_EQ(harness::run({"nm", "-D", "-u", BOPS_REGION_LIBRARY}).output, "");
  const std::string names =
      harness::run({"nm", "-D", "--defined-only", "-j", BOPS_REGION_LIBRARY}).output;
  EXPECT_EQ(names, "bops_region_begin\nbops_region_end\nbops_work\n");
}

/// What the calls of one process told, in memory that it shares with the test.
struct Told {
  struct Call {
    std::uint64_t operation;
    std::uint64_t value;
    char text[32];
  };
  int count;
  Call calls[32];
};

Told* told = nullptr;
std::uint64_t answer_to_probe = 0;

// The engine of this test: the kernel traps every gettid, and this handler answers.
void on_trap(int /*signal*/, siginfo_t* /*info*/, void* context) {
  auto* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto operation = static_cast<std::uint64_t>(registers[REG_RSI]);
  Told::Call& call = told->calls[told->count++];
  call.operation = operation;
  call.value = static_cast<std::uint64_t>(registers[REG_R10]);
  const auto* text = reinterpret_cast<const char*>(registers[REG_RDX]);
  if (text != nullptr) std::strncpy(call.text, text, sizeof call.text - 1);
  registers[REG_RAX] =
      operation == BOPS_REGION_PROBE ? static_cast<greg_t>(answer_to_probe) : greg_t{0};
}

/// Traps every gettid whose first argument is the magic number.
bool trap_region_calls() {
  struct sigaction action {};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  constexpr auto kMagic = static_cast<std::uint64_t>(BOPS_REGION_MAGIC);
  std::array<sock_filter, 8> code{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 5, BOPS_REGION_SYSTEM_CALL},
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, args)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, static_cast<std::uint32_t>(kMagic)},
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, args) + 4},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(kMagic >> 32)},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRAP},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog program{code.size(), code.data()};
  return ::sigaction(SIGSYS, &action, nullptr) == 0 &&
         ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// Runs `body` in a child under the engine of this test; what was told, or nothing without seccomp.
std::vector<Told::Call> told_by(void (*body)(), std::uint64_t answer) {
  constexpr int kNoSeccomp = 77;
  void* memory =
      ::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  told = new (memory) Told{};
  answer_to_probe = answer;
  const pid_t child = ::fork();
  if (child == 0) {
    if (!trap_region_calls()) ::_exit(kNoSeccomp);
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  std::vector<Told::Call> calls(told->calls, told->calls + told->count);
  ::munmap(memory, sizeof(Told));
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == kNoSeccomp) return {};
  EXPECT_EQ(WEXITSTATUS(status), 0);
  return calls;
}

void name_regions() {
  {
    const Region outer("outer");
    bops_work("tokens", UINT64_MAX);
    bops_region_begin(nullptr);
    bops_region_end();
  }
  bops_work(nullptr, 3);
}

TEST(RegionLibrary, asks_once_and_then_tells_an_engine_every_call) {
  const auto calls = told_by(name_regions, BOPS_REGION_PRESENT);
  if (calls.empty()) GTEST_SKIP() << "no seccomp filters here";
  ASSERT_EQ(calls.size(), 6U);
  EXPECT_EQ(calls[0].operation, BOPS_REGION_PROBE);
  EXPECT_EQ(calls[1].operation, BOPS_REGION_BEGIN);
  EXPECT_STREQ(calls[1].text, "outer");
  EXPECT_EQ(calls[2].operation, BOPS_REGION_WORK);
  EXPECT_STREQ(calls[2].text, "tokens");
  EXPECT_EQ(calls[2].value, UINT64_MAX);
  EXPECT_EQ(calls[3].operation, BOPS_REGION_BEGIN);
  EXPECT_STREQ(calls[3].text, "");
  EXPECT_EQ(calls[4].operation, BOPS_REGION_END);
  EXPECT_EQ(calls[5].operation, BOPS_REGION_END);
}

TEST(RegionLibrary, asks_once_and_then_is_silent_where_there_is_no_engine) {
  const auto calls = told_by(
      [] {
        for (int i = 0; i < 1000; ++i) name_regions();
      },
      4'194'304);  // the largest thread id that Linux gives
  if (calls.empty()) GTEST_SKIP() << "no seccomp filters here";
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].operation, BOPS_REGION_PROBE);
}

TEST(RegionLibrary, may_be_called_in_a_signal_handler_that_interrupts_it) {
  const auto calls = told_by(
      [] {
        struct sigaction action {};
        action.sa_handler = [](int) {
          bops_region_begin("handler");
          bops_region_end();
        };
        ::sigaction(SIGUSR1, &action, nullptr);
        bops_region_begin("interrupted");
        ::raise(SIGUSR1);
        bops_region_end();
      },
      BOPS_REGION_PRESENT);
  if (calls.empty()) GTEST_SKIP() << "no seccomp filters here";
  ASSERT_EQ(calls.size(), 5U);
  EXPECT_STREQ(calls[1].text, "interrupted");
  EXPECT_STREQ(calls[2].text, "handler");
  EXPECT_EQ(calls[3].operation, BOPS_REGION_END);
  EXPECT_EQ(calls[4].operation, BOPS_REGION_END);
}

TEST(RegionProtocol, presence_is_no_thread_id_that_linux_can_give) {
  constexpr std::uint64_t kLargestThreadId = 4'194'304;  // PID_MAX_LIMIT, include/linux/threads.h
  EXPECT_GT(std::uint64_t{BOPS_REGION_PRESENT}, kLargestThreadId);
  EXPECT_EQ(BOPS_REGION_SYSTEM_CALL, SYS_gettid);
  std::array<char, 8> bytes{};
  const std::uint64_t magic = BOPS_REGION_MAGIC;
  std::memcpy(bytes.data(), &magic, sizeof magic);
  EXPECT_EQ(std::string(bytes.data(), bytes.size()), "bops-reg");
}

}  // namespace
}  // namespace bops
