#include "collectors/exact/block_profile.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "collectors/exact/block_index.hpp"

namespace bops::exact {
namespace {

using Bytes = std::span<const std::byte>;

/// A field that its writer may be changing: read once, whole. `at` is a multiple of its size in any
/// profile that an engine wrote; in any other the value does not matter.
template <class Field>
Field load(Bytes bytes, std::size_t at) {
  Field value;
  if (reinterpret_cast<std::uintptr_t>(bytes.data() + at) % alignof(Field) == 0) {
    // The mapping is read-only, which atomic_ref of C++20 does not know how to say.
    auto* field = reinterpret_cast<Field*>(const_cast<std::byte*>(bytes.data() + at));
    return std::atomic_ref<Field>(*field).load(std::memory_order_acquire);
  }
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// The fixed part of a record, copied. Its flexible array stays behind.
template <class Wire>
class FixedPart {
 public:
  explicit FixedPart(Bytes record) : fits_(record.size() >= sizeof(Wire)) {
    if (fits_) std::memcpy(static_cast<void*>(storage_.data()), record.data(), sizeof(Wire));
  }
  /// Whether the record is long enough to have it.
  [[nodiscard]] explicit operator bool() const { return fits_; }
  Wire* operator->() { return reinterpret_cast<Wire*>(storage_.data()); }
  const Wire* operator->() const { return reinterpret_cast<const Wire*>(storage_.data()); }

 private:
  alignas(Wire) std::array<std::byte, sizeof(Wire)> storage_{};
  bool fits_;
};

std::string text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// `size` bytes after the fixed part, at `offset` from it.
template <class Wire>
std::optional<Bytes> variable_part(Bytes record, std::size_t offset, std::size_t size) {
  const std::size_t room = record.size() - sizeof(Wire);
  if (offset > room || size > room - offset) return std::nullopt;
  return record.subspan(sizeof(Wire) + offset, size);
}

/// More than an engine joins: a damaged profile must not make one execution into any number.
constexpr std::uint32_t kMaxFollows = 15;

/// Keeps the code of blocks, many in one piece.
class CodeStore {
 public:
  std::span<const std::uint8_t> copy(Bytes bytes) {
    if (bytes.empty()) return {};
    if (bytes.size() > room_) {
      room_ = std::max(kPiece, bytes.size());
      pieces_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(room_));
      next_ = pieces_.back().get();
    }
    std::uint8_t* const begin = next_;
    std::memcpy(begin, bytes.data(), bytes.size());
    next_ += bytes.size();
    room_ -= bytes.size();
    return {begin, bytes.size()};
  }

 private:
  static constexpr std::size_t kPiece = 65536;
  std::vector<std::unique_ptr<std::uint8_t[]>> pieces_;
  std::uint8_t* next_ = nullptr;
  std::size_t room_ = 0;
};

struct CounterRecord {
  std::uint32_t thread;
  std::uint64_t first_block;
  Bytes counters;
};

/// Sorts by `key` and drops all but the first of each.
template <class Item, class Key>
void keep_unique(std::vector<Item>& items, Key key, std::uint32_t& malformed) {
  const auto before = [&](const Item& a, const Item& b) { return key(a) < key(b); };
  // Most were written in order.
  if (!std::is_sorted(items.begin(), items.end(), before))
    std::stable_sort(items.begin(), items.end(), before);
  const auto last = std::unique(items.begin(), items.end(),
                                [&](const Item& a, const Item& b) { return key(a) == key(b); });
  malformed += static_cast<std::uint32_t>(items.end() - last);
  items.erase(last, items.end());
}

/// The keys of what is left.
template <class Item, class Key>
std::unordered_set<std::uint64_t> unique_keys(std::vector<Item>& items, Key key,
                                              std::uint32_t& malformed) {
  keep_unique(items, key, malformed);
  std::unordered_set<std::uint64_t> keys;
  for (const Item& item : items) keys.insert(key(item));
  return keys;
}

template <class Item, class Dangles>
void drop_if(std::vector<Item>& items, Dangles dangles, std::uint32_t& malformed) {
  malformed += static_cast<std::uint32_t>(std::erase_if(items, dangles));
}

/// One pass over the records of a profile.
class Reading {
 public:
  Reading(Bytes file, const FileData* data)
      : file_(file), data_(data), first_new_index_(next_thread()) {}

  BlockProfile run() {
    walk_extents();
    keep_unique(
        profile_.blocks, [](const auto& block) { return block.id; }, profile_.malformed);
    const BlockIndex blocks(profile_.blocks);
    resolve_executions(blocks);
    drop_dangling(blocks);
    profile_.code = std::move(code_);
    return std::move(profile_);
  }

  /// A thread's counters are given to other threads once it is packed: if one was packed meanwhile,
  /// what was read of its counters may be another's.
  [[nodiscard]] bool is_consistent() const {
    return std::all_of(packed_fields_.begin(), packed_fields_.end(), [&](const auto& field) {
      return load<std::uint32_t>(file_, field.first) == field.second;
    });
  }

 private:
  [[nodiscard]] std::uint32_t next_thread() const {
    return load<std::uint32_t>(file_, offsetof(bops_profile_header, next_thread));
  }
  /// Whether the thread or region began while this was read: its record may lie behind the reader,
  /// and what belongs to it is of a later state.
  [[nodiscard]] bool is_new(std::uint32_t index) const {
    return index >= first_new_index_ && index < next_thread();
  }
  [[nodiscard]] bool is_data(std::size_t offset);
  void walk_extents();
  void walk_records(Bytes extent);
  bool read_record(std::uint32_t type, Bytes record);
  bool read_process(Bytes record);
  bool read_thread(Bytes record);
  bool read_mapping(Bytes record);
  bool read_block(Bytes record);
  bool read_counters(Bytes record);
  bool read_packed(Bytes record);
  bool read_partial(Bytes record);
  bool read_uncounted(Bytes record);
  bool read_message(Bytes record);
  bool read_region(Bytes record);
  bool read_work(Bytes record);
  void resolve_executions(const BlockIndex& blocks);
  void resolve_counters(const CounterRecord& record);
  void add_joined(const BlockIndex& blocks);
  void drop_dangling(const BlockIndex& blocks);
  [[nodiscard]] std::unordered_set<std::uint64_t> drop_dangling_regions(
      const std::unordered_set<std::uint64_t>& threads);

  Bytes file_;
  const FileData* data_;
  FileData::Range known_data_{0, 0};
  std::uint32_t first_new_index_;
  BlockProfile profile_;
  std::vector<std::pair<std::size_t, std::uint32_t>> packed_fields_;  // offset in file, value seen
  std::unordered_set<std::uint32_t> packed_threads_;
  std::vector<CounterRecord> counters_;
  std::vector<BlockProfile::Execution> packed_executions_;
  struct Follower {
    std::uint64_t id;
    std::uint32_t distance;  // to the first of those joined
  };
  std::vector<Follower> followers_;
  std::shared_ptr<CodeStore> code_ = std::make_shared<CodeStore>();
};

/// A read of a hole would have the file system allocate a page, and raise SIGBUS where it is full.
bool Reading::is_data(std::size_t offset) {
  if (data_ == nullptr || (offset >= known_data_.begin && offset < known_data_.end)) return true;
  known_data_ = data_->first_in(offset, file_.size());
  return known_data_.begin == offset && known_data_.end > offset;
}

void Reading::walk_extents() {
  const auto used = load<std::uint64_t>(file_, offsetof(bops_profile_header, used));
  profile_.bytes_used = std::min<std::uint64_t>(used, file_.size());
  profile_.refusals = load<std::uint32_t>(file_, offsetof(bops_profile_header, lost));
  // Growing would copy them again and again. A damaged profile must not ask for more than it has.
  const auto blocks = load<std::uint64_t>(file_, offsetof(bops_profile_header, next_block));
  const std::size_t room =
      std::min<std::uint64_t>(blocks, profile_.bytes_used / sizeof(bops_profile_block));
  profile_.blocks.reserve(room);
  profile_.executions.reserve(room);
  std::size_t at = BOPS_PROFILE_EXTENT_SIZE;
  while (at < profile_.bytes_used && file_.size() - at >= sizeof(bops_profile_extent)) {
    if (!is_data(at)) {
      at += BOPS_PROFILE_EXTENT_SIZE;
      continue;
    }
    const auto magic = load<std::uint32_t>(file_, at);
    const FixedPart<bops_profile_extent> extent(file_.subspan(at));
    // A hole: its writer was killed, or had no storage, between taking the extent and using it.
    std::size_t size = BOPS_PROFILE_EXTENT_SIZE;
    if (magic == BOPS_PROFILE_EXTENT_MAGIC && extent->offset == at && extent->extents > 0) {
      size = std::min(file_.size() - at, std::size_t{extent->extents} * BOPS_PROFILE_EXTENT_SIZE);
      walk_records(file_.subspan(at, size));
    }
    at += size;
  }
}

void Reading::walk_records(Bytes extent) {
  std::size_t at = sizeof(bops_profile_extent);
  const auto offset = static_cast<std::size_t>(extent.data() - file_.data());
  while (extent.size() - at >= sizeof(bops_profile_record) && is_data(offset + at)) {
    const auto type = load<std::uint32_t>(extent, at);
    if (type == BOPS_RECORD_END) {
      // Not yet published, or never: the next record, if any, lies behind its size.
      const auto skipped = load<std::uint32_t>(extent, at + offsetof(bops_profile_record, size));
      if (skipped < sizeof(bops_profile_record) || skipped % 8 != 0 || skipped > extent.size() - at)
        return;
      at += skipped;
      continue;
    }
    const auto size = load<std::uint32_t>(extent, at + offsetof(bops_profile_record, size));
    if (size < sizeof(bops_profile_record) || size % 8 != 0 || size > extent.size() - at) {
      ++profile_.malformed;
      return;
    }
    if (!read_record(type, extent.subspan(at, size))) ++profile_.malformed;
    at += size;
  }
}

bool Reading::read_record(std::uint32_t type, Bytes record) {
  switch (type) {
    case BOPS_RECORD_PROCESS: return read_process(record);
    case BOPS_RECORD_THREAD: return read_thread(record);
    case BOPS_RECORD_MAPPING: return read_mapping(record);
    case BOPS_RECORD_BLOCK: return read_block(record);
    case BOPS_RECORD_COUNTERS: return read_counters(record);
    case BOPS_RECORD_PACKED: return read_packed(record);
    case BOPS_RECORD_PARTIAL: return read_partial(record);
    case BOPS_RECORD_UNCOUNTED: return read_uncounted(record);
    case BOPS_RECORD_MESSAGE: return read_message(record);
    case BOPS_RECORD_REGION: return read_region(record);
    case BOPS_RECORD_WORK: return read_work(record);
    default: return false;
  }
}

bool Reading::read_process(Bytes record) {
  const FixedPart<bops_profile_process> wire(record);
  if (!wire) return false;
  const auto path = variable_part<bops_profile_process>(record, 0, wire->path_size);
  if (!path) return false;
  profile_.processes.push_back(
      {wire->index, wire->pid, wire->ppid, wire->start_mono_ns, wire->end_mono_ns, text(*path)});
  return true;
}

bool Reading::read_thread(Bytes record) {
  FixedPart<bops_profile_thread> wire(record);
  if (!wire) return false;
  const auto offset = static_cast<std::size_t>(record.data() - file_.data()) +
                      offsetof(bops_profile_thread, packed);
  const auto packed = load<std::uint32_t>(file_, offset);
  packed_fields_.emplace_back(offset, packed);
  if (packed != 0) packed_threads_.insert(wire->index);
  wire->name[sizeof wire->name - 1] = '\0';
  profile_.threads.push_back({wire->index, wire->process, wire->tid, wire->start_mono_ns,
                              wire->end_mono_ns, std::string(wire->name)});
  return true;
}

bool Reading::read_mapping(Bytes record) {
  const FixedPart<bops_profile_mapping> wire(record);
  if (!wire) return false;
  const auto path = variable_part<bops_profile_mapping>(record, 0, wire->path_size);
  if (!path) return false;
  profile_.mappings.push_back({wire->index, wire->start, wire->end, wire->file_offset, wire->device,
                               wire->inode, text(*path)});
  return true;
}

bool Reading::read_block(Bytes record) {
  const FixedPart<bops_profile_block> wire(record);
  if (!wire || wire->instructions == 0) return false;
  const auto lengths = variable_part<bops_profile_block>(record, 0, wire->instructions);
  const auto bytes = variable_part<bops_profile_block>(record, wire->instructions, wire->bytes);
  if (!lengths || !bytes) return false;
  BlockProfile::Block block{
      wire->id, wire->address, wire->mapping, (wire->flags & BOPS_BLOCK_TAIL_PROVISIONAL) != 0, {},
      {}};
  if ((wire->flags & BOPS_BLOCK_FOLLOWS) != 0) {
    if (wire->follows == 0 || wire->follows > kMaxFollows || wire->follows > wire->id) return false;
    followers_.push_back({wire->id, wire->follows});
  }
  // Copied before it is checked.
  block.lengths = code_->copy(*lengths);
  block.bytes = code_->copy(*bytes);
  std::size_t sum = 0;
  for (const std::uint8_t size : block.lengths) {
    if (size == 0 || size > BOPS_PROFILE_MAX_INSTRUCTION_SIZE) return false;
    sum += size;
  }
  if (sum != block.bytes.size()) return false;
  profile_.blocks.push_back(block);
  return true;
}

bool Reading::read_counters(Bytes record) {
  FixedPart<bops_profile_counters> wire(record);
  if (!wire) return false;
  // The owner is written last, so what is read after it is its own.
  wire->thread = load<std::uint32_t>(record, offsetof(bops_profile_counters, thread));
  wire->first_block = load<std::uint64_t>(record, offsetof(bops_profile_counters, first_block));
  const auto counters =
      variable_part<bops_profile_counters>(record, 0, wire->blocks * sizeof(std::uint64_t));
  if (!counters) return false;
  if (wire->thread == BOPS_PROFILE_NONE) return true;
  counters_.push_back({wire->thread, wire->first_block, *counters});
  return true;
}

bool Reading::read_packed(Bytes record) {
  const FixedPart<bops_profile_packed> wire(record);
  if (!wire) return false;
  const auto entries = variable_part<bops_profile_packed>(
      record, 0, wire->entries * sizeof(bops_profile_packed_entry));
  if (!entries) return false;
  for (std::size_t at = 0; at < entries->size(); at += sizeof(bops_profile_packed_entry)) {
    const FixedPart<bops_profile_packed_entry> entry(entries->subspan(at));
    packed_executions_.push_back({wire->thread, entry->block, entry->executions});
  }
  return true;
}

bool Reading::read_partial(Bytes record) {
  const FixedPart<bops_profile_partial> wire(record);
  if (!wire) return false;
  profile_.partials.push_back({wire->thread, wire->block, wire->completed, wire->times});
  return true;
}

bool Reading::read_uncounted(Bytes record) {
  const FixedPart<bops_profile_uncounted> wire(record);
  if (!wire) return false;
  const auto path = variable_part<bops_profile_uncounted>(record, 0, wire->path_size);
  const auto reason =
      variable_part<bops_profile_uncounted>(record, wire->path_size, wire->reason_size);
  if (!path || !reason) return false;
  if (wire->cancelled == 0)
    profile_.uncounted.push_back(
        {wire->pid, wire->ppid, wire->start_mono_ns, text(*path), text(*reason)});
  return true;
}

bool Reading::read_message(Bytes record) {
  const FixedPart<bops_profile_message> wire(record);
  if (!wire) return false;
  const auto message = variable_part<bops_profile_message>(record, 0, wire->text_size);
  if (!message) return false;
  profile_.messages.push_back(text(*message));
  return true;
}

bool Reading::read_region(Bytes record) {
  FixedPart<bops_profile_region> wire(record);
  if (!wire) return false;
  const auto name = variable_part<bops_profile_region>(record, 0, wire->name_size);
  if (!name) return false;
  wire->entries = load<std::uint64_t>(record, offsetof(bops_profile_region, entries));
  profile_.regions.push_back({wire->index, wire->thread, wire->parent, wire->entries, text(*name)});
  return true;
}

bool Reading::read_work(Bytes record) {
  FixedPart<bops_profile_work> wire(record);
  if (!wire) return false;
  const auto unit = variable_part<bops_profile_work>(record, 0, wire->unit_size);
  if (!unit) return false;
  wire->amount = load<std::uint64_t>(record, offsetof(bops_profile_work, amount));
  profile_.work.push_back({wire->thread, text(*unit), wire->amount});
  return true;
}

/// A live thread's counters are mostly never touched: holes of the file, which stay holes.
void Reading::resolve_counters(const CounterRecord& record) {
  constexpr std::uint64_t kSize = sizeof(std::uint64_t);
  const auto start = static_cast<std::uint64_t>(record.counters.data() - file_.data());
  const std::uint64_t end = start + record.counters.size();
  for (std::uint64_t begin = start; begin < end;) {
    const FileData::Range range =
        data_ != nullptr ? data_->first_in(begin, end) : FileData::Range{begin, end};
    for (std::uint64_t at = (range.begin - start) / kSize * kSize; at < range.end - start;
         at += kSize) {
      const auto times = load<std::uint64_t>(record.counters, at);
      if (times != 0)
        profile_.executions.push_back({record.thread, record.first_block + at / kSize, times});
    }
    begin = std::max(range.end, begin + 1);
  }
}

void Reading::resolve_executions(const BlockIndex& blocks) {
  std::unordered_set<std::uint32_t> packed_indices = packed_threads_;
  for (const BlockProfile::Region& region : profile_.regions)
    if (packed_threads_.contains(region.thread)) packed_indices.insert(region.index);
  for (const CounterRecord& record : counters_) {
    if (!packed_indices.contains(record.thread)) resolve_counters(record);
  }
  for (const BlockProfile::Execution& execution : packed_executions_)
    if (execution.times != 0 && packed_indices.contains(execution.thread))
      profile_.executions.push_back(execution);
  add_joined(blocks);
}

/// Executions of the first of joined blocks are executions of all of them.
void Reading::add_joined(const BlockIndex& blocks) {
  if (followers_.empty()) return;
  std::vector<std::uint8_t> distances(profile_.blocks.size());  // by place; 0: not joined
  for (const Follower& follower : followers_)
    if (const auto place = blocks.find(follower.id);
        place != BlockIndex::kAbsent && distances[place] == 0)
      distances[place] = static_cast<std::uint8_t>(follower.distance);
  for (std::size_t i = 0, counted = profile_.executions.size(); i < counted; ++i) {
    const BlockProfile::Execution execution = profile_.executions[i];
    for (std::uint32_t follows = 1; follows <= kMaxFollows; ++follows) {
      const std::uint64_t id = execution.block + follows;
      const auto place = blocks.find(id);
      if (place == BlockIndex::kAbsent || distances[place] != follows) break;
      profile_.executions.push_back({execution.thread, id, execution.times});
    }
  }
}

/// Keeps the regions whose thread and parents are there and whose path is not too long; their
/// indices. A parent has the smaller index, so that no path is a ring.
std::unordered_set<std::uint64_t> Reading::drop_dangling_regions(
    const std::unordered_set<std::uint64_t>& threads) {
  keep_unique(
      profile_.regions, [](const auto& region) { return region.index; }, profile_.malformed);
  struct Kept {
    std::uint32_t thread;
    int depth;
  };
  std::unordered_map<std::uint64_t, Kept> kept_regions;  // by index
  std::unordered_set<std::uint64_t> kept;
  const auto depth_of = [&](const BlockProfile::Region& region) {
    if (threads.contains(region.index) || !threads.contains(region.thread)) return 0;
    if (region.parent == BOPS_PROFILE_NONE) return 1;
    const auto parent = kept_regions.find(region.parent);
    const bool fits = parent != kept_regions.end() && parent->second.thread == region.thread &&
                      parent->second.depth < BOPS_PROFILE_MAX_REGION_DEPTH;
    return fits ? parent->second.depth + 1 : 0;
  };
  std::vector<BlockProfile::Region> sound;
  for (BlockProfile::Region& region : profile_.regions) {
    const int depth = depth_of(region);
    if (depth == 0) {
      if (!is_new(region.index)) ++profile_.malformed;
      continue;
    }
    kept_regions.emplace(region.index, Kept{region.thread, depth});
    kept.insert(region.index);
    sound.push_back(std::move(region));
  }
  profile_.regions = std::move(sound);
  return kept;
}

/// Afterwards every index names something. Nothing is dropped from a profile that an engine wrote:
/// what refers to a thing is written after it.
void Reading::drop_dangling(const BlockIndex& blocks) {
  std::uint32_t& malformed = profile_.malformed;
  const auto by_index = [](const auto& item) -> std::uint64_t { return item.index; };
  const auto processes = unique_keys(profile_.processes, by_index, malformed);
  drop_if(
      profile_.threads, [&](const auto& thread) { return !processes.contains(thread.process); },
      malformed);
  const auto threads = unique_keys(profile_.threads, by_index, malformed);
  const auto regions = drop_dangling_regions(threads);
  std::optional<std::uint32_t> last_known;  // those of one thread stand together
  const auto is_thread_or_region = [&](std::uint32_t index) {
    if (index == last_known) return true;
    if (!threads.contains(index) && !regions.contains(index)) return false;
    last_known = index;
    return true;
  };
  const auto is_of_new = [&](const auto& item) {
    return !is_thread_or_region(item.thread) && is_new(item.thread);
  };
  std::erase_if(profile_.executions, is_of_new);
  std::erase_if(profile_.partials, is_of_new);
  std::erase_if(profile_.work, is_of_new);
  drop_if(
      profile_.work, [&](const auto& work) { return !is_thread_or_region(work.thread); },
      malformed);
  const auto mappings = unique_keys(profile_.mappings, by_index, malformed);
  std::uint32_t known = BOPS_PROFILE_NONE;  // those of one mapping often stand together
  for (BlockProfile::Block& block : profile_.blocks) {
    if (block.mapping == known) continue;
    if (mappings.contains(block.mapping))
      known = block.mapping;
    else
      block.mapping = BOPS_PROFILE_NONE;
  }
  const auto dangles = [&](const auto& item) {
    return !is_thread_or_region(item.thread) || blocks.find(item.block) == BlockIndex::kAbsent;
  };
  drop_if(profile_.executions, dangles, malformed);
  drop_if(
      profile_.partials,
      [&](const auto& partial) {
        return dangles(partial) ||
               partial.completed >= profile_.blocks[blocks.find(partial.block)].lengths.size();
      },
      malformed);
}

Result<FixedPart<bops_profile_header>> checked_header(Bytes file) {
  const FixedPart<bops_profile_header> header(file);
  if (!header || std::memcmp(header->magic, BOPS_PROFILE_MAGIC, sizeof header->magic) != 0)
    return failure("this is no block profile", "name the profile that an exact engine wrote");
  if (header->version != BOPS_PROFILE_VERSION || header->extent_size != BOPS_PROFILE_EXTENT_SIZE)
    return failure("this block profile has version " + std::to_string(header->version) +
                       "; this program reads version " + std::to_string(BOPS_PROFILE_VERSION),
                   "read it with the version of bops that wrote it");
  return header;
}

}  // namespace

Result<BlockProfile> read_block_profile(std::span<const std::byte> file, const FileData* data) {
  const auto header = checked_header(file);
  if (!header) return tl::unexpected(header.error());
  constexpr int kAttempts = 100;  // threads that begin or end meanwhile spoil an attempt
  for (int attempt = 1;; ++attempt) {
    Reading reading(file, data);
    BlockProfile profile = reading.run();
    if (!reading.is_consistent() && attempt < kAttempts) continue;
    // An index is taken a moment before its record is there. Damage is still there next time.
    if (profile.malformed != 0 && attempt == 1) continue;
    const auto* end = std::find(std::begin((*header)->engine), std::end((*header)->engine), '\0');
    profile.engine.assign(std::begin((*header)->engine), end);
    profile.start_mono_ns = (*header)->start_mono_ns;
    return profile;
  }
}

}  // namespace bops::exact
