#include "collectors/exact/function_counts.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "collectors/exact/mapped_code.hpp"
#include "platform/demangle.hpp"

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

/// By place of the block.
std::vector<Executions> executions_by_block(DecodedBlocks& blocks) {
  const BlockProfile& profile = blocks.profile();
  std::vector<Executions> executions(profile.blocks.size());
  for (const BlockProfile::Execution& execution : profile.executions)
    executions[blocks.place_of(execution.block)].entered += execution.times;
  for (const BlockProfile::Partial& partial : profile.partials)
    executions[blocks.place_of(partial.block)].partials.push_back(&partial);
  return executions;
}

/// What the code of one image executed. One of no file has no function.
class ImageSums {
 public:
  explicit ImageSums(MappedFile* file) : file_(file) {
    if (file != nullptr) places_.resize(file->symbols().functions().size());
  }
  [[nodiscard]] MappedFile* file() const { return file_; }

  /// Of a function, or null.
  BlockSum& operator[](const ElfFunction* function) {
    if (function == nullptr) return sums_.front();
    std::uint32_t& place = places_[index_of(function)];
    if (place == 0) {
      sums_.emplace_back();
      place = static_cast<std::uint32_t>(sums_.size() - 1);
    }
    return sums_[place];
  }
  /// Of all that were met. Several functions, and parts of one, may share a name.
  [[nodiscard]] std::map<std::string, BlockSum> by_name() const {
    std::map<std::string, BlockSum> named{{std::string(kUnknownFunction), sums_.front()}};
    if (file_ == nullptr) return named;
    for (const ElfFunction& function : file_->symbols().functions())
      if (const std::uint32_t place = places_[index_of(&function)]; place != 0)
        named[demangled(function.name)].add(sums_[place]);
    return named;
  }

 private:
  [[nodiscard]] std::size_t index_of(const ElfFunction* function) const {
    return static_cast<std::size_t>(function - file_->symbols().functions().data());
  }

  MappedFile* file_;
  std::vector<std::uint32_t> places_;  // in sums_, by function; 0: not executed
  std::vector<BlockSum> sums_{1};      // the first is of what no symbol covers
};

/// Which function what of a block belongs to.
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
    if (file->holds(offset_, block.bytes.first(size))) file_ = file;
  }
  /// Of the instruction `distance` bytes behind the start of the block, and of those that start
  /// within the size.
  [[nodiscard]] ElfSymbols::Stretch at(std::size_t distance) const {
    if (file_ == nullptr || distance >= mapped_)
      return {nullptr, std::numeric_limits<std::uint64_t>::max() - distance};
    ElfSymbols::Stretch stretch = file_->symbols().stretch_at_file_offset(offset_ + distance);
    stretch.size = std::min(stretch.size, mapped_ - distance);
    return stretch;
  }

 private:
  std::uint64_t offset_ = 0;  // of the block in the file
  std::uint64_t mapped_ = 0;  // bytes from the start of the block to the end of its mapping
  MappedFile* file_ = nullptr;
};

/// Adds a block part by part: runs of instructions of one function that ran equally often.
void add_block(DecodedBlocks& blocks, std::size_t place, const Executions& executions,
               const BlockNames& names, ImageSums& sums) {
  const BlockProfile::Block& block = blocks.profile().blocks[place];
  const ElfSymbols::Stretch whole = names.at(0);
  if (executions.partials.empty() && whole.size >= block.bytes.size()) {
    sums[whole.function].add(blocks.facts(place), executions.entered);
    return;
  }
  const std::size_t count = instruction_count(block);
  std::size_t distance = 0;
  for (std::size_t first = 0, last = 0; first < count; first = last) {
    const ElfSymbols::Stretch stretch = names.at(distance);
    const std::uint64_t end = distance + stretch.size;
    const std::uint64_t times = executions.of_instruction(first);
    do distance += block.lengths[last++];
    while (last < count && distance < end && executions.of_instruction(last) == times);
    sums[stretch.function].add(blocks.facts_of_part(place, first, last), times);
  }
}

}  // namespace

std::vector<FunctionCounts> count_functions(DecodedBlocks& blocks, const std::string& debug_root) {
  const BlockProfile& profile = blocks.profile();
  MappedCode code(debug_root);
  std::map<std::string, ImageSums> images;
  struct Place {
    const BlockProfile::Mapping* mapping;
    ImageSums* sums;
  };
  std::unordered_map<std::uint32_t, Place> places;  // by index of the mapping
  const auto place_of = [&](const BlockProfile::Mapping* mapping) {
    return Place{mapping,
                 &images.try_emplace(image_name(mapping), code.file_of(mapping)).first->second};
  };
  for (const BlockProfile::Mapping& mapping : profile.mappings)
    places.emplace(mapping.index, Place{&mapping, nullptr});
  const auto executions = executions_by_block(blocks);
  for (std::size_t place = 0; place < profile.blocks.size(); ++place) {
    if (executions[place].entered == 0 && executions[place].partials.empty()) continue;
    const BlockProfile::Block& block = profile.blocks[place];
    Place& in = places.try_emplace(block.mapping, Place{nullptr, nullptr}).first->second;
    if (in.sums == nullptr) in = place_of(in.mapping);
    add_block(blocks, place, executions[place], BlockNames(block, in.mapping, in.sums->file()),
              *in.sums);
  }
  std::vector<FunctionCounts> functions;
  for (const auto& [image, sums] : images)
    for (const auto& [name, sum] : sums.by_name())
      if (sum.instructions != InstructionCounts{}) functions.push_back({image, name, sum.counts()});
  return functions;
}

}  // namespace bops::exact
