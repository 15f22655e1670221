#include "collectors/exact/function_counts.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "collectors/exact/block_counts.hpp"
#include "collectors/exact/mapped_code.hpp"

namespace bops::exact {
namespace {

/// How often a block ran, all threads together; in wrapping arithmetic (block_profile.h).
struct Executions {
  std::uint64_t entered = 0;
  std::vector<const BlockProfile::Partial*> partials;

  /// How often the instruction of that index in the block was completed.
  [[nodiscard]] std::uint64_t of_instruction(std::size_t index) const {
    std::uint64_t times = entered;
    for (const BlockProfile::Partial* partial : partials)
      if (partial->completed <= index) times -= partial->times;
    return times;
  }
};

std::unordered_map<std::uint64_t, Executions> executions_by_block(const BlockProfile& profile) {
  std::unordered_map<std::uint64_t, Executions> blocks;
  for (const BlockProfile::Execution& execution : profile.executions)
    blocks[execution.block].entered += execution.times;
  for (const BlockProfile::Partial& partial : profile.partials)
    blocks[partial.block].partials.push_back(&partial);
  return blocks;
}

/// Names the functions of a block's instructions.
class BlockNames {
 public:
  /// A block in no file has neither mapping nor file.
  BlockNames(const BlockProfile::Block& block, const BlockProfile::Mapping* mapping,
             MappedFile* file) {
    const std::uint64_t address = block.address;
    if (mapping == nullptr || file == nullptr || address < mapping->start ||
        address >= mapping->end)
      return;
    offset_ = address - mapping->start + mapping->file_offset;
    mapped_ = mapping->end - address;
    // Of a block that runs on into another mapping, the part that lies in this one.
    const auto size = std::min<std::uint64_t>(block.bytes.size(), mapped_);
    if (file->holds(offset_, std::span(block.bytes).first(size))) file_ = file;
  }
  /// Of the instruction `distance` bytes behind the start of the block.
  [[nodiscard]] std::string_view at(std::size_t distance) const {
    return file_ != nullptr && distance < mapped_ ? file_->function_at(offset_ + distance)
                                                  : kUnknownFunction;
  }

 private:
  std::uint64_t offset_ = 0;  // of the block in the file
  std::uint64_t mapped_ = 0;  // bytes from the start of the block to the end of its mapping
  MappedFile* file_ = nullptr;
};

using FunctionSums = std::map<std::pair<std::string, std::string>, BlockSum>;  // image, name

/// Adds a block part by part: runs of instructions of one function that ran equally often.
void add_block(const BlockProfile::Block& block, const Executions& executions,
               const std::string& image, const BlockNames& names, FunctionSums& sums) {
  const std::size_t count = instruction_count(block);
  std::size_t distance = 0;
  for (std::size_t first = 0, last = 0; first < count; first = last) {
    const std::string_view name = names.at(distance);
    const std::uint64_t times = executions.of_instruction(first);
    do distance += block.lengths[last++];
    while (last < count && names.at(distance) == name && executions.of_instruction(last) == times);
    sums[{image, std::string(name)}].add(decode_part(block, first, last), times);
  }
}

}  // namespace

std::vector<FunctionCounts> count_functions(const BlockProfile& profile,
                                            const std::string& debug_root) {
  std::unordered_map<std::uint32_t, const BlockProfile::Mapping*> mappings;
  for (const BlockProfile::Mapping& mapping : profile.mappings)
    mappings.emplace(mapping.index, &mapping);
  const auto executions = executions_by_block(profile);
  MappedCode code(debug_root);
  FunctionSums sums;
  for (const BlockProfile::Block& block : profile.blocks) {
    const auto executed = executions.find(block.id);
    if (executed == executions.end()) continue;
    const auto found = mappings.find(block.mapping);
    const BlockProfile::Mapping* mapping = found != mappings.end() ? found->second : nullptr;
    add_block(block, executed->second, image_name(mapping),
              BlockNames(block, mapping, code.file_of(mapping)), sums);
  }
  std::vector<FunctionCounts> functions;
  for (const auto& [function, sum] : sums)
    if (sum.instructions != InstructionCounts{})
      functions.push_back({function.first, function.second, sum.counts()});
  return functions;
}

}  // namespace bops::exact
