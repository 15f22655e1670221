// Signals that come at every single instruction of the engine's narrowest places: a tracer stops
// the thread there and sends them (programs/signal_windows.c).
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>

#include "collectors/exact/block_profile.hpp"
#include "collectors/exact/native/engine/layout.h"
#include "platform/elf_symbols.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

constexpr int kRefused = 77;

void ask_to_be_traced() {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(kRefused);
}

std::string new_profile(const harness::TemporaryDirectory& directory) {
  std::string path = directory / "profile";
  EXPECT_TRUE(exact::create_block_profile(path, "native", 0));
  return path;
}

/// The program under the engine, traced. What stops it is passed on when it is resumed.
class TracedGuest {
 public:
  explicit TracedGuest(const std::string& what)
      : process_({BOPS_NATIVE_ENGINE, new_profile(directory_), BOPS_SIGNAL_WINDOWS,
                  BOPS_SIGNAL_WINDOWS, BOPS_SIGNAL_WINDOWS, what},
                 {}, {}, &ask_to_be_traced),
        engine_(ElfSymbols::read(BOPS_NATIVE_ENGINE)) {
    is_traced_ = next_stop() == SIGTRAP;  // after execve
    if (!is_traced_) {
      EXPECT_EQ(process_.wait().code, kRefused) << "the engine was not executed";
      return;
    }
    signal_ = 0;
    ::ptrace(PTRACE_SETOPTIONS, process_.pid(), nullptr, PTRACE_O_EXITKILL);
    base_ = engine_base();
  }

  [[nodiscard]] bool is_traced() const { return is_traced_; }
  /// Its lines so far, after its end.
  [[nodiscard]] std::vector<std::string> end() {
    ::kill(process_.pid(), SIGKILL);
    std::istringstream output(process_.wait().output);
    std::vector<std::string> lines;
    for (std::string line; std::getline(output, line);) lines.push_back(line);
    return lines;
  }

  [[nodiscard]] bool run_until_it_stops_itself() {
    do {
      if (!resume(PTRACE_CONT)) return false;
    } while (signal_ != SIGSTOP);
    signal_ = 0;
    return true;
  }
  [[nodiscard]] bool run_to(std::uint64_t address) {
    const long code = ::ptrace(PTRACE_PEEKTEXT, process_.pid(), address, nullptr);
    constexpr long kByte = 0xff, kBreakpoint = 0xcc;
    ::ptrace(PTRACE_POKETEXT, process_.pid(), address, (code & ~kByte) | kBreakpoint);
    if (!resume(PTRACE_CONT) || signal_ != SIGTRAP) return false;
    signal_ = 0;
    ::ptrace(PTRACE_POKETEXT, process_.pid(), address, code);
    user_regs_struct registers = this->registers();
    registers.rip -= 1;
    ::ptrace(PTRACE_SETREGS, process_.pid(), nullptr, &registers);
    return registers.rip == address;
  }
  [[nodiscard]] bool step() {
    if (!resume(PTRACE_SINGLESTEP) || signal_ != SIGTRAP) return false;
    signal_ = 0;
    return true;
  }
  [[nodiscard]] bool step(unsigned times) {
    for (unsigned i = 0; i < times; ++i)
      if (!step()) return false;
    return true;
  }
  /// It comes as soon as the thread is resumed and has not blocked it.
  void send(int signal) const { ::syscall(SYS_tgkill, process_.pid(), process_.pid(), signal); }
  /// It comes in the place of what stopped the thread.
  void resume_with(int signal) { signal_ = signal; }

  [[nodiscard]] std::uint64_t address_of(std::string_view symbol) const {
    for (const ElfFunction& function : engine_.functions())
      if (function.name == symbol) return base_ + function.start;
    ADD_FAILURE() << "the engine has no " << symbol;
    return 0;
  }
  [[nodiscard]] std::uint64_t rip() const { return registers().rip; }
  [[nodiscard]] bool is_at_system_call() const {
    const long code = ::ptrace(PTRACE_PEEKTEXT, process_.pid(), rip(), nullptr);
    return (code & 0xffff) == 0x050f;
  }
  /// Whether a signal mask waits to be set on the way out of the engine.
  [[nodiscard]] bool has_mask_to_set() const {
    const std::uint64_t slot = registers().gs_base + static_cast<std::uint64_t>(GS_UNMASK);
    const long value = ::ptrace(PTRACE_PEEKDATA, process_.pid(), slot, nullptr);
    return static_cast<std::uint32_t>(value) != 0;
  }
  [[nodiscard]] bool is_between(std::string_view begin, std::string_view end) const {
    return rip() >= address_of(begin) && rip() < address_of(end);
  }
  [[nodiscard]] bool is_in_engine() const { return engine_.at_address(rip() - base_) != nullptr; }

 private:
  /// False if it has ended.
  bool resume(__ptrace_request how) {
    ::ptrace(how, process_.pid(), nullptr, static_cast<long>(signal_));
    return next_stop() != 0;
  }
  int next_stop() {
    siginfo_t info{};
    const auto id = static_cast<id_t>(process_.pid());
    // Its end is left for process_ to see.
    signal_ = 0;
    if (::waitid(P_PID, id, &info, WEXITED | WSTOPPED | WNOWAIT) != 0) return 0;
    if (info.si_code != CLD_TRAPPED) return 0;
    ::waitid(P_PID, id, &info, WSTOPPED);
    return signal_ = info.si_status;
  }

  [[nodiscard]] user_regs_struct registers() const {
    user_regs_struct registers{};
    ::ptrace(PTRACE_GETREGS, process_.pid(), nullptr, &registers);
    return registers;
  }
  [[nodiscard]] std::uint64_t engine_base() const {
    std::ifstream maps("/proc/" + std::to_string(process_.pid()) + "/maps");
    for (std::string line; std::getline(maps, line);)
      if (line.ends_with("/bops-native-engine")) return std::stoull(line, nullptr, 16);
    ADD_FAILURE() << "the engine is not mapped";
    return 0;
  }

  harness::TemporaryDirectory directory_;
  harness::Subprocess process_;
  ElfSymbols engine_;
  std::uint64_t base_ = 0;
  bool is_traced_ = false;
  int signal_ = 0;
};

std::uint64_t mask_of(int signal) {
  return std::uint64_t{1} << static_cast<unsigned>(signal - 1);
}

TEST(SignalWindows, a_signal_on_the_way_out_of_the_engine_finds_the_mask_that_was_asked_for) {
  TracedGuest guest("mask");
  if (!guest.is_traced()) GTEST_SKIP() << "ptrace is refused here";
  const std::uint64_t way_out = guest.address_of("resume_begin");
  unsigned sent = 0, sent_while_unmasking = 0;
  for (;; ++sent) {
    ASSERT_TRUE(guest.run_until_it_stops_itself());
    ASSERT_TRUE(guest.run_to(way_out));
    while (!guest.has_mask_to_set()) ASSERT_TRUE(guest.step() && guest.run_to(way_out));
    ASSERT_TRUE(guest.step(sent));
    if (!guest.is_between("resume_begin", "resume_end")) break;
    if (guest.is_between("unmask_begin", "unmask_end")) ++sent_while_unmasking;
    guest.send(SIGSEGV);
  }
  EXPECT_GE(sent_while_unmasking, 2U);
  EXPECT_GT(sent, sent_while_unmasking);

  std::ostringstream mask;
  mask << std::hex << (mask_of(SIGUSR2) | mask_of(SIGALRM));
  const std::vector<std::string> lines = guest.end();
  ASSERT_EQ(lines.size(), sent);
  for (std::size_t i = 0; i < lines.size(); ++i)
    EXPECT_EQ(lines[i], "handled: 1, mask in the frame: " + mask.str() + ", now: " + mask.str())
        << "sent " << i << " instructions after resume_begin";
}

/// The system calls that on_signal makes until it returns to the guest; the last is rt_sigreturn.
std::vector<std::uint64_t> calls_of_on_signal(TracedGuest& guest) {
  std::vector<std::uint64_t> calls;
  while (guest.is_in_engine()) {
    if (guest.is_at_system_call()) calls.push_back(guest.rip());
    if (!guest.step()) return {};
  }
  return calls;
}

// What is blocked changes at system calls only: right before and right behind each of them are the
// latest and the first moment of what the thread has done by then.
TEST(SignalWindows, a_signal_that_comes_while_a_handler_is_started_is_handled_before_it) {
  TracedGuest guest("two");
  if (!guest.is_traced()) GTEST_SKIP() << "ptrace is refused here";
  const auto start_first_one = [&guest] {
    if (!guest.run_until_it_stops_itself()) return false;
    guest.resume_with(SIGUSR1);
    return guest.run_to(guest.address_of("on_signal"));
  };
  ASSERT_TRUE(start_first_one());
  (void)calls_of_on_signal(guest);  // the first time it also translates the handler
  ASSERT_TRUE(start_first_one());
  const std::vector<std::uint64_t> calls = calls_of_on_signal(guest);
  ASSERT_GE(calls.size(), 2U) << "one mask at least, and the return";

  std::vector<std::string> sent = {"not at all", "not at all"};
  const auto send_now = [&](std::size_t call, const char* where) {
    guest.send(SIGBUS);
    sent.push_back(where + (" system call " + std::to_string(call)));
  };
  for (std::size_t i = 0; i < calls.size(); ++i) {
    ASSERT_TRUE(start_first_one() && guest.run_to(calls[i]));
    send_now(i, "before");
    ASSERT_TRUE(start_first_one() && guest.run_to(calls[i]) && guest.step());
    if (guest.is_in_engine()) send_now(i, "behind");
  }
  ASSERT_TRUE(guest.run_until_it_stops_itself());

  const std::vector<std::string> lines = guest.end();
  for (std::size_t i = 2; i < sent.size(); ++i)
    EXPECT_EQ(lines.at(i), "handled: 1, before the first one's handler: 1") << "sent " << sent[i];
}

}  // namespace
}  // namespace bops
