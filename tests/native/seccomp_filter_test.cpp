// The engine's reading of seccomp filters against the kernel's.
#include "collectors/exact/native/engine/seccomp_filter.hpp"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <random>
#include <vector>

namespace bops::native {
namespace {

using Code = std::vector<sock_filter>;

constexpr std::array<std::uint64_t, 6> kArguments = {
    3, 0x123456789abcdef0, 0xffffffff, 0x80000000, 17, 0};

sock_filter random_instruction(std::mt19937& random) {
  constexpr std::array<unsigned, 10> kOperations = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,
                                                    BPF_AND, BPF_LSH, BPF_RSH, BPF_XOR, BPF_NEG};
  constexpr std::array<unsigned, 4> kConditions = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
  const auto any = [&random](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  const unsigned source = any(2) != 0 ? BPF_X : BPF_K;
  switch (any(12)) {
    case 0:
    case 1:  // an argument, not where the call was made
      return BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                      static_cast<__u32>(offsetof(seccomp_data, args) + 4 * any(12)));
    case 2: return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4 * any(2));
    case 3: return BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0);
    case 4:
      return BPF_STMT(any(2) != 0 ? BPF_LD | BPF_IMM : BPF_LDX | BPF_IMM,
                      static_cast<__u32>(random()));
    case 5: return BPF_STMT(any(2) != 0 ? BPF_ST : BPF_STX, any(BPF_MEMWORDS));
    case 6: return BPF_STMT(any(2) != 0 ? BPF_MISC | BPF_TAX : BPF_MISC | BPF_TXA, 0);
    case 7:
      return BPF_JUMP(static_cast<__u16>(BPF_JMP | kConditions[any(4)] | source), any(64),
                      static_cast<__u8>(any(3)), static_cast<__u8>(any(3)));
    case 8: return BPF_STMT(BPF_JMP | BPF_JA, any(3));
    default: {
      const unsigned operation = kOperations[any(10)];
      const bool is_shift = operation == BPF_LSH || operation == BPF_RSH;
      const __u32 k = is_shift      ? any(32)
                      : any(4) != 0 ? any(100) + 1
                                    : static_cast<__u32>(random()) | 1;
      // The kernel does not say what a shift by more than 31 gives: not by X.
      return BPF_STMT(static_cast<__u16>(BPF_ALU | operation | (is_shift ? BPF_K : source)), k);
    }
  }
}

/// Of the call to getpgid only; returns an errno of 1 to 255 that depends on all that it does.
Code random_filter(std::mt19937& random) {
  Code code;
  // Memory must have been written before it is read.
  for (unsigned i = 0; i < BPF_MEMWORDS; ++i) code.push_back(BPF_STMT(BPF_ST, i));
  const unsigned size = 5 + static_cast<unsigned>(random() % 60);
  for (unsigned i = 0; i < size; ++i)
    code.push_back(random() % 10 == 0 ? sock_filter BPF_STMT(random() % 2 != 0 ? BPF_LD | BPF_MEM
                                                                               : BPF_LDX | BPF_MEM,
                                                             static_cast<__u32>(random() % 16))
                                      : random_instruction(random));
  const Code tail = {BPF_STMT(BPF_ST, 0),
                     BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 13),
                     BPF_STMT(BPF_LDX | BPF_MEM, 0),
                     BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
                     BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
                     BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
                     BPF_STMT(BPF_RET | BPF_A, 0)};
  code.insert(code.end(), tail.begin(), tail.end());
  const Code head = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 1, 0),
                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  code.insert(code.begin(), head.begin(), head.end());
  return code;
}

/// The errno that the kernel answers the call with, modulo 256; -1: it does not take the filter;
/// 1000 + a signal that killed the child.
int ask_kernel(Code code) {
  const pid_t child = ::fork();
  if (child == 0) {
    const sock_fprog program = {static_cast<unsigned short>(code.size()), code.data()};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(255);
    errno = 0;
    const auto& a = kArguments;
    ::syscall(SYS_getpgid, a[0], a[1], a[2], a[3], a[4], a[5]);
    ::_exit(errno == 255 ? 254 : errno);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return -2;
  if (WIFSIGNALED(status)) return 1000 + WTERMSIG(status);
  return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

int ask_engine(const Code& code) {
  const SeccompFilter filter = {code.data(), static_cast<unsigned>(code.size())};
  if (!is_valid_filter(filter)) return -1;
  seccomp_data data = {};
  data.nr = SYS_getpgid;
  data.arch = AUDIT_ARCH_X86_64;
  std::copy(kArguments.begin(), kArguments.end(), data.args);
  const std::uint32_t result = run_filter(filter, data);
  if ((result & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO) return 1000 + SIGSYS;
  const int error = static_cast<int>(result & SECCOMP_RET_DATA);
  return error == 255 ? 254 : error;
}

TEST(SeccompFilter, means_what_the_kernel_says_in_1000_random_programs) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same programs in each run
  std::array<int, 256> seen{};
  for (int i = 0; i < 1000; ++i) {
    const Code code = random_filter(random);
    const int kernel = ask_kernel(code);
    ASSERT_EQ(ask_engine(code), kernel) << "filter " << i;
    if (kernel >= 0 && kernel < 256) ++seen[static_cast<std::size_t>(kernel)];
  }
  EXPECT_GT(std::count_if(seen.begin(), seen.end(), [](int n) { return n > 0; }), 100);
}

TEST(SeccompFilter, is_invalid_where_the_kernel_says_so) {
  const Code bad[] = {
      {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)},                                 // no return
      {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), BPF_STMT(BPF_RET | BPF_K, 0)},   // misaligned
      {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_RET | BPF_K, 0)},  // behind it
      {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_STMT(BPF_RET | BPF_K, 0)},   // a byte
      {BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_RET | BPF_K, 0)},           // too far
      {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0)},  // by 0
      {BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), BPF_STMT(BPF_RET | BPF_K, 0)},
      {BPF_STMT(BPF_ST, 16), BPF_STMT(BPF_RET | BPF_K, 0)},
  };
  for (const Code& code : bad) {
    EXPECT_EQ(ask_kernel(code), -1);
    EXPECT_EQ(ask_engine(code), -1);
  }
}

TEST(SeccompFilter, is_known_to_look_at_code_addresses) {
  for (const unsigned offset : {0U, 4U, 8U, 12U, 16U}) {
    const Code code = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
                       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    EXPECT_EQ(looks_at_code_address({code.data(), 2}), offset == 8 || offset == 12);
  }
}

}  // namespace
}  // namespace bops::native
