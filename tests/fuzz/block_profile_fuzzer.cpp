// The block-profile reader on any bytes: never crashes, and what it lets through is consistent. The
// bytes are read as a file, and as the records of a file with one extent, where fewer are needed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "collectors/exact/block_counts.hpp"
#include "collectors/exact/block_profile.hpp"

namespace {

using bops::exact::BlockProfile;
using Bytes = std::span<const std::byte>;

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::byte> file_of_records(Bytes records) {
  std::vector<std::byte> file(std::size_t{2} * BOPS_PROFILE_EXTENT_SIZE);
  bops_profile_header header{};
  std::memcpy(header.magic, BOPS_PROFILE_MAGIC, sizeof header.magic);
  header.version = BOPS_PROFILE_VERSION;
  header.extent_size = BOPS_PROFILE_EXTENT_SIZE;
  header.capacity = header.used = file.size();
  const bops_profile_extent extent{BOPS_PROFILE_EXTENT_MAGIC, 1, BOPS_PROFILE_EXTENT_SIZE, 0, 0};
  std::memcpy(file.data(), &header, sizeof header);
  std::byte* at = file.data() + BOPS_PROFILE_EXTENT_SIZE;
  std::memcpy(at, &extent, sizeof extent);
  const std::size_t room = BOPS_PROFILE_EXTENT_SIZE - sizeof extent;
  std::memcpy(at + sizeof extent, records.data(), std::min(records.size(), room));
  return file;
}

/// What a region counts, found without looking at any other: the profile of all that ran in
/// contexts whose path has the name, counted as if it were a run.
void check_region(const BlockProfile& profile, const BlockProfile::Region& region,
                  const std::vector<bops::RegionCounts>& rows) {
  std::map<std::uint32_t, const BlockProfile::Region*> by_index;
  for (const auto& context : profile.regions) by_index.emplace(context.index, &context);
  const auto is_inside = [&](std::uint32_t index) {
    for (auto at = by_index.find(index); at != by_index.end();
         at = by_index.find(at->second->parent))
      if (at->second->thread == region.thread && at->second->name == region.name) return true;
    return false;
  };
  BlockProfile part = profile;
  const auto is_outside = [&](const auto& item) { return !is_inside(item.thread); };
  std::erase_if(part.executions, is_outside);
  std::erase_if(part.partials, is_outside);
  std::erase_if(part.work, is_outside);
  const bops::RunCounts expected = bops::exact::BlockCounter("fuzz").count(part);
  require(std::any_of(rows.begin(), rows.end(), [&](const bops::RegionCounts& row) {
    return row.name == region.name && row.counts == expected.totals() &&
           row.work == expected.total_work();
  }));
}

void check_regions(const BlockProfile& profile, const bops::RunCounts& run) {
  std::set<std::uint32_t> threads;
  for (const auto& thread : profile.threads) threads.insert(thread.index);
  std::map<std::uint32_t, std::uint32_t> seen;  // thread by index
  for (const auto& region : profile.regions) {
    require(threads.contains(region.thread) && !threads.contains(region.index));
    if (region.parent != BOPS_PROFILE_NONE)
      require(seen.contains(region.parent) && seen.at(region.parent) == region.thread);
    require(seen.emplace(region.index, region.thread).second);
  }
  require(run.regions.size() <= profile.regions.size());
  constexpr std::size_t kChecked = 8;
  for (std::size_t i = 0; i < std::min(kChecked, profile.regions.size()); ++i)
    check_region(profile, profile.regions[i], run.regions);
}

void read(Bytes file) {
  const auto profile = bops::exact::read_block_profile(file);
  if (!profile) return;
  for (const auto& block : profile->blocks) {
    std::size_t sum = 0;
    for (const auto length : block.lengths) sum += length;
    require(sum == block.bytes.size());
  }
  // Looks up every index: a dangling one would throw.
  const bops::RunCounts run = bops::exact::BlockCounter("fuzz").count(*profile);
  require(run.threads.size() == profile->threads.size());
  check_regions(*profile, run);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  read(bytes);
  read(file_of_records(bytes));
  return 0;
}
