#include "collectors/exact/block_counts.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <set>

#include "collectors/exact/decode/instruction.hpp"
#include "collectors/exact/region_counts.hpp"
#include "platform/elf_file.hpp"

namespace bops::exact {
namespace {

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", byte);
    if (!text.empty()) text += ' ';
    text += digits.data();
  }
  return text;
}

/// Whether `bytes` are the start of a longer instruction.
bool is_cut_short(std::span<const std::uint8_t> bytes) {
  if (decode_instruction(bytes).length != 0) return false;
  std::array<std::uint8_t, std::size_t{2} * BOPS_PROFILE_MAX_INSTRUCTION_SIZE> padded{};
  std::copy(bytes.begin(), bytes.end(), padded.begin());
  return decode_instruction(padded).length > bytes.size();
}

std::string trimmed(std::string message) {
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  return message;
}

std::uint64_t since(std::uint64_t start_ns, std::uint64_t time_ns) {
  return time_ns > start_ns ? time_ns - start_ns : 0;
}

std::optional<std::uint64_t> end_since(std::uint64_t start_ns, std::uint64_t end_ns) {
  if (end_ns == 0) return std::nullopt;
  return since(start_ns, end_ns);
}

/// When each process's image was replaced by exec: the start of the next one with the same pid.
std::map<std::uint32_t, std::uint64_t> ends_by_exec(const BlockProfile& profile) {
  std::map<std::uint32_t, std::uint64_t> ends;
  std::map<std::int32_t, const BlockProfile::Process*> running;
  for (const BlockProfile::Process& process : profile.processes) {
    const auto [before, is_first] = running.try_emplace(process.pid, &process);
    if (!is_first && before->second->end_mono_ns == 0)
      ends.emplace(before->second->index, process.start_mono_ns);
    before->second = &process;
  }
  return ends;
}

/// Instructions without a decoding, and how often each ran.
using UnknownInstructions = std::map<std::string, std::uint64_t>;

void warn_of_unknown(const UnknownInstructions& unknown, std::vector<Warning>& warnings) {
  if (unknown.empty()) return;
  constexpr std::size_t kListed = 20;
  std::string list;
  std::uint64_t executions = 0;
  std::size_t listed = 0;
  for (const auto& [bytes, times] : unknown) {
    executions += times;
    if (++listed <= kListed)
      list += (list.empty() ? "" : "; ") + bytes + " (" + std::to_string(times) + " times)";
  }
  if (listed > kListed) list += "; and " + std::to_string(listed - kListed) + " more";
  warnings.push_back({"unknown_instructions",
                      std::to_string(executions) +
                          " executed instructions are unknown to the decoder; they are in the "
                          "total, but in none of the other counts: " +
                          list});
}

void warn_of_losses(const BlockProfile& profile, RunCounts& run) {
  if (profile.refusals != 0)
    run.warnings.push_back(
        {"profile_storage_full",
         "no storage was left for the profile (refused " + std::to_string(profile.refusals) +
             " times): what ran in code or threads that appeared afterwards is not counted; set "
             "BOPS_STATE_DIR to a directory with more free space"});
  if (profile.malformed != 0)
    run.warnings.push_back({"profile_damaged", std::to_string(profile.malformed) +
                                                   " records of the profile are unreadable and "
                                                   "were left out"});
  if (!profile.uncounted.empty())
    run.warnings.push_back(
        {"uncounted_processes",
         std::to_string(profile.uncounted.size()) +
             " programs ran uncounted, and so did whatever they started: see processes"});
}

}  // namespace

std::size_t instruction_count(const BlockProfile::Block& block) {
  const std::size_t count = block.lengths.size();
  if (!block.provisional_tail || count < 2) return count;
  const std::size_t tail = block.lengths.back();
  return is_cut_short(std::span(block.bytes).last(tail)) ? count - 1 : count;
}

void BlockSum::add(const BlockFacts& facts, std::uint64_t times) {
  instructions += facts.instructions.times(times);
  operations += facts.operations.times(times);
  classes += facts.classes.times(times);
}

std::string image_name(const BlockProfile::Mapping* mapping) {
  if (mapping == nullptr) return "[unknown]";
  return mapping->path.empty() ? "[anonymous]" : mapping->path;
}

BlockFacts decode_part(const BlockProfile::Block& block, std::size_t first, std::size_t last) {
  BlockFacts facts;
  std::span<const std::uint8_t> rest = block.bytes;
  for (std::size_t i = 0; i < first; ++i) rest = rest.subspan(block.lengths[i]);
  for (std::size_t i = first; i < last; ++i) {
    const auto bytes = rest.first(block.lengths[i]);
    rest = rest.subspan(block.lengths[i]);
    const DecodedInstruction instruction = decode_instruction(bytes);
    // The engine executed exactly these bytes; a decoding of fewer would be of another instruction.
    if (!instruction.known || instruction.length != bytes.size()) {
      facts.instructions.total += 1;
      facts.classes.other += 1;
      facts.unknown.push_back(hex(bytes));
      continue;
    }
    facts.instructions += instruction.counts();
    facts.operations += instruction.operations;
    facts.classes += instruction.classes();
    facts.assumes_tile_size |= instruction.assumes_tile_size;
  }
  return facts;
}

const BlockFacts& BlockCounter::facts(const BlockProfile::Block& block) {
  const auto known = facts_.find(block.id);
  if (known != facts_.end()) return known->second;
  return facts_.emplace(block.id, decode_part(block, 0, instruction_count(block))).first->second;
}

RunCounts BlockCounter::count(const BlockProfile& profile) {
  std::unordered_map<std::uint64_t, const BlockProfile::Block*> blocks;
  blocks.reserve(profile.blocks.size());
  for (const BlockProfile::Block& block : profile.blocks) blocks.emplace(block.id, &block);
  std::map<std::uint32_t, const BlockProfile::Mapping*> mappings;
  for (const BlockProfile::Mapping& mapping : profile.mappings)
    mappings.emplace(mapping.index, &mapping);

  std::map<std::uint32_t, BlockSum> sums;  // by index of a thread or region
  std::map<std::uint32_t, BlockSum> mapping_sums;
  UnknownInstructions unknown;
  bool assumes_tile_size = false;
  const auto add = [&](std::uint32_t index, const BlockProfile::Block& block,
                       const BlockFacts& block_facts, std::uint64_t times) {
    sums[index].add(block_facts, times);
    mapping_sums[block.mapping].add(block_facts, times);
    for (const std::string& bytes : block_facts.unknown) unknown[bytes] += times;
    assumes_tile_size |= block_facts.assumes_tile_size;
  };
  for (const BlockProfile::Execution& execution : profile.executions) {
    const BlockProfile::Block& block = *blocks.at(execution.block);
    add(execution.thread, block, facts(block), execution.times);
  }
  for (const BlockProfile::Partial& partial : profile.partials) {
    const BlockProfile::Block& block = *blocks.at(partial.block);
    add(partial.thread, block, facts(block), std::uint64_t{0} - partial.times);
    add(partial.thread, block, decode_part(block, 0, partial.completed), partial.times);
  }

  RunCounts run;
  run.quality = profile.processes.empty() ? Quality::kMissing
                : profile.refusals != 0 || profile.malformed != 0 || !profile.uncounted.empty()
                    ? Quality::kPartial
                    : Quality::kExact;
  const auto start_ns = profile.start_mono_ns;
  const auto replaced = ends_by_exec(profile);
  const auto end_of = [&](std::uint32_t process, std::uint64_t end_mono_ns) {
    const auto exec = replaced.find(process);
    return end_since(start_ns,
                     end_mono_ns == 0 && exec != replaced.end() ? exec->second : end_mono_ns);
  };
  const RegionCounter region_counter(profile, sums);
  std::map<std::uint32_t, std::size_t> rows;  // process index -> row
  for (const BlockProfile::Process& process : profile.processes) {
    rows.emplace(process.index, run.processes.size());
    run.processes.push_back({process.pid, process.ppid, process.path, true, "",
                             since(start_ns, process.start_mono_ns),
                             end_of(process.index, process.end_mono_ns), Counts::exact_zero()});
  }
  for (const BlockProfile::Thread& thread : profile.threads) {
    ProcessCounts& process = run.processes[rows.at(thread.process)];
    const Counts counts = region_counter.thread_counts(thread.index);
    process.counts += counts;
    run.threads.push_back({process.pid, thread.tid, thread.name,
                           since(start_ns, thread.start_mono_ns),
                           end_of(thread.process, thread.end_mono_ns), via_, counts,
                           region_counter.thread_work(thread.index)});
  }
  run.regions = region_counter.regions(run.threads);
  for (const BlockProfile::Uncounted& program : profile.uncounted)
    run.processes.push_back({program.pid, program.ppid, program.path, false, program.reason,
                             since(start_ns, program.start_mono_ns), std::nullopt, Counts{}});

  std::map<std::string, Counts> image_sums;
  for (const auto& [index, sum] : mapping_sums) {
    const auto mapping = mappings.find(index);
    const auto name = image_name(mapping != mappings.end() ? mapping->second : nullptr);
    image_sums.try_emplace(name, Counts::exact_zero()).first->second += sum.counts();
  }
  for (auto& [path, counts] : image_sums) {
    auto build_id = build_ids_.find(path);
    if (build_id == build_ids_.end())
      build_id = build_ids_.emplace(path, path.starts_with('/') ? elf_build_id(path) : "").first;
    run.images.push_back({path, build_id->second, counts});
  }

  warn_of_unknown(unknown, run.warnings);
  if (assumes_tile_size)
    run.warnings.push_back({"tile_size_assumed",
                            "AMX operations are counted for the largest tile: the tile "
                            "configuration is not in the instruction"});
  warn_of_losses(profile, run);
  for (const std::string& message : profile.messages)
    run.warnings.push_back({"engine_message", via_ + " said: " + trimmed(message)});
  return run;
}

}  // namespace bops::exact
