// The block-profile reader on any bytes: never crashes, and what it lets through is consistent.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "collectors/exact/block_counts.hpp"
#include "collectors/exact/block_profile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto profile = bops::exact::read_block_profile(std::as_bytes(std::span(data, size)));
  if (!profile) return 0;
  for (const auto& block : profile->blocks) {
    std::size_t sum = 0;
    for (const auto length : block.lengths) sum += length;
    if (sum != block.bytes.size()) std::abort();
  }
  // Looks up every index: a dangling one would throw.
  const bops::RunCounts run = bops::exact::BlockCounter("fuzz").count(*profile);
  if (run.threads.size() != profile->threads.size()) std::abort();
  return 0;
}
