#include "collectors/exact/block_counts.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "collectors/exact/decode/instruction.hpp"
#include "collectors/exact/function_counts.hpp"
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

/// Calls `take` with the bytes of the instructions `first` ... `last - 1`.
template <class Take>
void for_instructions(const BlockProfile::Block& block, std::size_t first, std::size_t last,
                      Take take) {
  std::span<const std::uint8_t> rest = block.bytes;
  for (std::size_t i = 0; i < last; ++i) {
    if (i >= first) take(rest.first(block.lengths[i]));
    rest = rest.subspan(block.lengths[i]);
  }
}

/// The engine executed exactly these bytes; a decoding of fewer would be of another instruction.
bool is_known(const DecodedInstruction& instruction, std::size_t bytes) {
  return instruction.known && instruction.length == bytes;
}

/// Sums by an index that is mostly the one before.
class SumsByIndex {
 public:
  BlockSum& operator[](std::uint32_t index) {
    if (last_ == nullptr || index != last_index_) {
      last_ = &sums_[index];
      last_index_ = index;
    }
    return *last_;
  }
  [[nodiscard]] const std::map<std::uint32_t, BlockSum>& all() const { return sums_; }

 private:
  std::map<std::uint32_t, BlockSum> sums_;
  std::uint32_t last_index_ = 0;
  BlockSum* last_ = nullptr;  // of it; a map's elements stay where they are
};

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

void BlockSum::add(const BlockSum& other) {
  instructions += other.instructions;
  operations += other.operations;
  classes += other.classes;
}

std::string image_name(const BlockProfile::Mapping* mapping) {
  if (mapping == nullptr) return "[unknown]";
  return mapping->path.empty() ? "[anonymous]" : mapping->path;
}

DecodedBlocks::DecodedBlocks(const BlockProfile& profile, InstructionMemory& memory)
    : profile_(profile),
      memory_(memory),
      index_(profile.blocks),
      places_(profile.blocks.size()),
      facts_(1) {
  facts_.reserve(1 + std::min(profile.blocks.size(), profile.executions.size()));
}

const BlockFacts& DecodedBlocks::facts(std::size_t place) {
  if (places_[place] == 0) {
    facts_.push_back(facts_of_part(place, 0, instruction_count(profile_.blocks[place])));
    places_[place] = static_cast<std::uint32_t>(facts_.size() - 1);
  }
  return facts_[places_[place]];
}

BlockFacts DecodedBlocks::facts_of_part(std::size_t place, std::size_t first, std::size_t last) {
  BlockFacts facts;
  std::array<std::uint64_t, 7> classes{};  // in the order of InstructionClass
  for_instructions(profile_.blocks[place], first, last, [&](std::span<const std::uint8_t> bytes) {
    const DecodedInstruction& instruction = memory_.decode(bytes);
    if (!is_known(instruction, bytes.size())) {
      facts.instructions.total += 1;
      classes[static_cast<std::size_t>(InstructionClass::kOther)] += 1;
      facts.has_unknown = true;
      return;
    }
    facts.instructions += instruction.counts();
    facts.operations += instruction.operations;
    classes.at(static_cast<std::size_t>(instruction.instruction_class)) += 1;
    facts.assumes_tile_size |= instruction.assumes_tile_size;
  });
  facts.classes = {.branch = classes[0],
                   .load = classes[1],
                   .store = classes[2],
                   .load_store = classes[3],
                   .floating_point = classes[4],
                   .integer = classes[5],
                   .other = classes[6]};
  return facts;
}

std::vector<std::string> DecodedBlocks::unknown(std::size_t place, std::size_t first,
                                                std::size_t last) {
  std::vector<std::string> list;
  for_instructions(profile_.blocks[place], first, last, [&](std::span<const std::uint8_t> bytes) {
    if (!is_known(memory_.decode(bytes), bytes.size())) list.push_back(hex(bytes));
  });
  return list;
}

RunCounts BlockCounter::count(const BlockProfile& profile) {
  DecodedBlocks blocks(profile, memory_);
  return count(blocks);
}

RunCounts BlockCounter::count_with_functions(const BlockProfile& profile) {
  DecodedBlocks blocks(profile, memory_);
  RunCounts run = count(blocks);
  run.functions = count_functions(blocks);
  std::erase_if(run.functions,
                [this](const FunctionCounts& function) { return is_instrument(function.image); });
  return run;
}

bool BlockCounter::is_instrument(const std::string& path) const {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return false;
  const std::string_view name = std::string_view(path).substr(slash + 1);
  return std::any_of(instruments_.begin(), instruments_.end(),
                     [name](const std::string& start) { return name.starts_with(start); });
}

std::vector<ImageCounts> BlockCounter::image_rows(const std::map<std::string, Counts>& sums) {
  std::vector<ImageCounts> rows;
  for (const auto& [path, counts] : sums) {
    auto build_id = build_ids_.find(path);
    if (build_id == build_ids_.end())
      build_id = build_ids_.emplace(path, path.starts_with('/') ? elf_build_id(path) : "").first;
    rows.push_back({path, build_id->second, counts});
  }
  return rows;
}

RunCounts BlockCounter::count(DecodedBlocks& blocks) {
  const BlockProfile& profile = blocks.profile();
  std::map<std::uint32_t, const BlockProfile::Mapping*> mappings;
  for (const BlockProfile::Mapping& mapping : profile.mappings)
    mappings.emplace(mapping.index, &mapping);

  std::set<std::uint32_t> instruments;  // mappings
  for (const BlockProfile::Mapping& mapping : profile.mappings)
    if (is_instrument(mapping.path)) instruments.insert(mapping.index);

  SumsByIndex sums;  // by index of a thread or region
  SumsByIndex mapping_sums;
  UnknownInstructions unknown;
  bool assumes_tile_size = false;
  const auto add = [&](std::uint32_t index, std::size_t place, const BlockFacts& facts,
                       std::size_t instructions, std::uint64_t times) {
    const std::uint32_t mapping = profile.blocks[place].mapping;
    mapping_sums[mapping].add(facts, times);
    if (!instruments.empty() && instruments.contains(mapping)) return;
    sums[index].add(facts, times);
    assumes_tile_size |= facts.assumes_tile_size;
    if (!facts.has_unknown) return;
    for (const std::string& bytes : blocks.unknown(place, 0, instructions)) unknown[bytes] += times;
  };
  for (const BlockProfile::Execution& execution : profile.executions) {
    const std::size_t place = blocks.place_of(execution.block);
    const BlockFacts& facts = blocks.facts(place);
    add(execution.thread, place, facts, facts.instructions.total, execution.times);
  }
  for (const BlockProfile::Partial& partial : profile.partials) {
    const std::size_t place = blocks.place_of(partial.block);
    const BlockFacts& whole = blocks.facts(place);
    add(partial.thread, place, whole, whole.instructions.total, std::uint64_t{0} - partial.times);
    add(partial.thread, place, blocks.facts_of_part(place, 0, partial.completed), partial.completed,
        partial.times);
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
  const RegionCounter region_counter(profile, sums.all());
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

  std::map<std::string, Counts> image_sums, instrument_sums;
  for (const auto& [index, sum] : mapping_sums.all()) {
    const auto mapping = mappings.find(index);
    const auto name = image_name(mapping != mappings.end() ? mapping->second : nullptr);
    auto& of_kind = instruments.contains(index) ? instrument_sums : image_sums;
    of_kind.try_emplace(name, Counts::exact_zero()).first->second += sum.counts();
  }
  run.images = image_rows(image_sums);
  run.instruments = image_rows(instrument_sums);

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
