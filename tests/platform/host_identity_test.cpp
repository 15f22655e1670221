#include "platform/host_identity.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

namespace bops {
namespace {

/// A field of /proc/cpuinfo, the kernel's own reading of CPUID; empty if it has none.
std::string cpuinfo(const std::string& field) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    if (line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1) != field) continue;
    const std::size_t first = line.find_first_not_of(' ', colon + 1);
    return first == std::string::npos ? "" : line.substr(first);
  }
  return {};
}

TEST(HostIdentity, agrees_with_the_kernel_about_the_cpu) {
  const CpuIdentity cpu = read_host_identity().cpu;
  EXPECT_EQ(cpu.vendor, cpuinfo("vendor_id"));
  EXPECT_EQ(std::to_string(cpu.family), cpuinfo("cpu family"));
  EXPECT_EQ(std::to_string(cpu.model), cpuinfo("model"));
  EXPECT_EQ(cpu.name, cpuinfo("model name"));
}

TEST(HostIdentity, names_the_machine) {
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size() - 1), 0);
  EXPECT_EQ(read_host_identity().name, name.data());
  EXPECT_TRUE(read_host_identity().kernel.starts_with("Linux "));
}

// Signatures from the tables of Intel's specification updates and AMD's revision guides.
TEST(HostIdentity, extended_model_counts_in_base_family_6) {
  EXPECT_EQ(decode_cpu_signature(0x000506E3), (CpuSignature{6, 0x5E, 3}));  // Skylake client
  EXPECT_EQ(decode_cpu_signature(0x000806F8), (CpuSignature{6, 0x8F, 8}));  // Sapphire Rapids
}

TEST(HostIdentity, extended_family_and_model_count_in_base_family_15) {
  EXPECT_EQ(decode_cpu_signature(0x00830F10), (CpuSignature{0x17, 0x31, 0}));  // Zen 2, Rome
  EXPECT_EQ(decode_cpu_signature(0x00A20F12), (CpuSignature{0x19, 0x21, 2}));  // Zen 3, Vermeer
  EXPECT_EQ(decode_cpu_signature(0x00000F4A), (CpuSignature{15, 4, 10}));      // Pentium 4
}

TEST(HostIdentity, extended_fields_are_ignored_in_other_families) {
  EXPECT_EQ(decode_cpu_signature(0x0FFF0543), (CpuSignature{5, 4, 3}));
}

}  // namespace
}  // namespace bops
