#include "platform/host_identity.hpp"

#include <cpuid.h>
#include <sys/utsname.h>

#include <array>
#include <cstring>
#include <string>

namespace bops {
namespace {

using Registers = std::array<std::uint32_t, 4>;  // EAX, EBX, ECX, EDX

constexpr std::uint32_t kHighestExtendedLeaf = 0x8000'0000U;
constexpr std::uint32_t kFirstBrandLeaf = 0x8000'0002U;
constexpr std::uint32_t kLastBrandLeaf = 0x8000'0004U;

Registers cpuid(std::uint32_t leaf) {
  Registers r{};
  __cpuid(leaf, r[0], r[1], r[2], r[3]);
  return r;
}

template <std::size_t kCount>
std::string text_of(const std::array<std::uint32_t, kCount>& words) {
  std::array<char, sizeof(words) + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof(words));
  return text.data();
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string brand_string() {
  if (cpuid(kHighestExtendedLeaf)[0] < kLastBrandLeaf) return {};
  std::string brand;
  for (std::uint32_t leaf = kFirstBrandLeaf; leaf <= kLastBrandLeaf; ++leaf)
    brand += text_of(cpuid(leaf));
  return trimmed(brand);
}

CpuIdentity read_cpu_identity() {
  const Registers vendor = cpuid(0);
  const CpuSignature signature = decode_cpu_signature(cpuid(1)[0]);
  // The twelve letters lie in EBX, EDX, ECX, in this order.
  return {text_of(std::array{vendor[1], vendor[3], vendor[2]}), signature.family, signature.model,
          signature.stepping, brand_string()};
}

}  // namespace

CpuSignature decode_cpu_signature(std::uint32_t leaf1_eax) {
  const std::uint32_t base_family = (leaf1_eax >> 8U) & 0xFU;
  const std::uint32_t extended_family = (leaf1_eax >> 20U) & 0xFFU;
  const std::uint32_t base_model = (leaf1_eax >> 4U) & 0xFU;
  const std::uint32_t extended_model = (leaf1_eax >> 16U) & 0xFU;
  const bool has_extended_model = base_family == 6 || base_family == 15;
  return {base_family == 15 ? base_family + extended_family : base_family,
          has_extended_model ? (extended_model << 4U) + base_model : base_model, leaf1_eax & 0xFU};
}

HostIdentity read_host_identity() {
  utsname names{};
  ::uname(&names);
  return {names.nodename, std::string(names.sysname) + " " + names.release + " " + names.machine,
          read_cpu_identity()};
}

}  // namespace bops
