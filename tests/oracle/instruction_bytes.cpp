#include "tests/oracle/instruction_bytes.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <bit>

namespace bops::oracle {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

bool is_legacy_prefix(std::uint8_t byte) {
  constexpr std::array<std::uint8_t, 11> kPrefixes{0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e,
                                                   0x26, 0x64, 0x65, 0x66, 0x67};
  return std::ranges::find(kPrefixes, byte) != kPrefixes.end();
}

bool is_rex_prefix(std::uint8_t byte) {
  return (byte & 0xf0) == 0x40;
}

bool is_string_opcode(std::uint8_t byte) {
  return (byte >= 0x6c && byte <= 0x6f) ||  // ins, outs
         (byte >= 0xa4 && byte <= 0xa7) ||  // movs, cmps
         (byte >= 0xaa && byte <= 0xaf);    // stos, lods, scas
}

}  // namespace

InstructionBytes read_instruction_bytes(pid_t tid, std::uint64_t rip) {
  InstructionBytes bytes;
  // Two pieces, cut at the page: the second page may not exist, and a piece is read wholly or not.
  const std::size_t first =
      std::min<std::size_t>(bytes.storage.size(), kPageBytes - rip % kPageBytes);
  iovec local{.iov_base = bytes.storage.data(), .iov_len = bytes.storage.size()};
  const std::array<iovec, 2> remote{iovec{.iov_base = std::bit_cast<void*>(rip), .iov_len = first},
                                    iovec{.iov_base = std::bit_cast<void*>(rip + first),
                                          .iov_len = bytes.storage.size() - first}};
  const unsigned long pieces = first < bytes.storage.size() ? 2 : 1;
  const ssize_t got = process_vm_readv(tid, &local, 1, remote.data(), pieces, 0);
  bytes.size = got < 0 ? 0 : static_cast<std::size_t>(got);
  return bytes;
}

bool is_repeated_string_instruction(std::span<const std::uint8_t> bytes) {
  bool repeated = false;
  for (const std::uint8_t byte : bytes) {
    if (is_legacy_prefix(byte)) {
      repeated |= byte == 0xf2 || byte == 0xf3;
    } else if (!is_rex_prefix(byte)) {
      return repeated && is_string_opcode(byte);
    }
  }
  return false;
}

bool is_system_call_instruction(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 2 &&
         ((bytes[0] == 0x0f && bytes[1] == 0x05) || (bytes[0] == 0xcd && bytes[1] == 0x80));
}

}  // namespace bops::oracle
