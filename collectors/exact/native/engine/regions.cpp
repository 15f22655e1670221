#include "collectors/exact/native/engine/regions.hpp"

#include "collectors/exact/native/engine/counters.hpp"

extern "C" {
#include "collectors/region/region_protocol.h"
}

namespace bops::native {
namespace {

constexpr int kArchPrctl = 158;
constexpr Word kSetGs = 0x1001;
constexpr std::uint32_t kMaxNodes = 4096, kMaxDepth = 1 << 20, kMaxWorks = 4096;
constexpr std::uint32_t kMaxPath = BOPS_PROFILE_MAX_REGION_DEPTH;
constexpr std::uint32_t kOutside = 0;  ///< the node that stands for no region

/// A path of names of one thread.
struct Node {
  std::uint32_t parent;
  std::uint32_t names;  ///< on the path
  std::uint32_t context;
  Area* area;
  bops_profile_region* record;
  char name[BOPS_REGION_MAX_NAME_SIZE + 1];
};

struct Work {
  std::uint32_t context;
  bops_profile_work* record;
};

/// In reserved memory: only what is used costs anything.
struct Regions {
  std::uint32_t nodes, depth, works;
  std::uint32_t lost;  ///< begun beyond kMaxDepth
  bool has_refused;
  Node node[kMaxNodes];
  std::uint32_t open[kMaxDepth];  ///< nodes, outermost first
  Work work[kMaxWorks];
};

bool is_equal(const char* a, const char* b) {
  for (; *a != '\0' && *a == *b; ++a) ++b;
  return *a == *b;
}

/// At most BOPS_REGION_MAX_NAME_SIZE bytes of a name; more are cut off.
bool read_name(Word address, char* name) {
  for (unsigned i = 0; i < BOPS_REGION_MAX_NAME_SIZE; ++i) {
    if (!read_guest(address + i, name[i])) return false;
    if (name[i] == '\0') return true;
  }
  name[BOPS_REGION_MAX_NAME_SIZE] = '\0';
  return true;
}

Regions* regions_of(Thread* thread) {
  if (thread->regions == 0) {
    auto* const regions = static_cast<Regions*>(reserve_memory(sizeof(Regions)));
    regions->node[kOutside].context = thread->area->context;
    regions->node[kOutside].area = thread->area;
    regions->nodes = 1;
    thread->regions = word(regions);
  }
  return reinterpret_cast<Regions*>(thread->regions);
}

std::uint32_t innermost(const Regions& regions) {
  return regions.depth == 0 ? kOutside : regions.open[regions.depth - 1];
}

bool is_on_path(const Regions& regions, std::uint32_t node, const char* name) {
  for (; node != kOutside; node = regions.node[node].parent)
    if (is_equal(regions.node[node].name, name)) return true;
  return false;
}

/// Whether each name on the path of `a` is on that of `b`, or is `name`.
bool is_within(const Regions& regions, std::uint32_t a, std::uint32_t b, const char* name) {
  for (; a != kOutside; a = regions.node[a].parent)
    if (!is_equal(regions.node[a].name, name) && !is_on_path(regions, b, regions.node[a].name))
      return false;
  return true;
}

/// Paths with the same names and the same innermost one are one context: recursion ends somewhere.
std::uint32_t find_node(const Regions& regions, std::uint32_t parent, const char* name) {
  for (std::uint32_t i = 1; i < regions.nodes; ++i)
    if (is_equal(regions.node[i].name, name) && is_within(regions, i, parent, name) &&
        is_within(regions, parent, i, name))
      return i;
  return kOutside;
}

/// Without memory for another context, its counts stay with the one around it.
std::uint32_t add_node(Thread* thread, Regions& regions, std::uint32_t parent, const char* name) {
  if (regions.nodes == kMaxNodes || regions.node[parent].names == kMaxPath || !thread->record) {
    if (!regions.has_refused)
      say("a thread has too many regions, or too deep ones: the rest is counted with those around");
    regions.has_refused = true;
    return parent;
  }
  Word size = 0;
  while (name[size] != '\0') ++size;
  const Guard guard(engine.lock);
  bops_profile_region* const record = profile_writer_start_region(
      &engine.writer, thread->record->index,
      parent == kOutside ? BOPS_PROFILE_NONE : regions.node[parent].context, name, size);
  Area* const area = record ? take_area(thread, record->index) : nullptr;
  if (!area) {
    say("there is no memory for another region: it is counted with the one around it");
    return parent;
  }
  Node& node = regions.node[regions.nodes];
  node.parent = parent;
  node.names = regions.node[parent].names + 1;
  node.context = record->index;
  node.area = area;
  node.record = record;
  __builtin_memcpy(node.name, name, size + 1);
  area->enter = thread->area->enter;
  area->stack = thread->area->stack;
  area->next = thread->area->next;
  thread->area->next = area;
  return regions.nodes++;
}

/// From here on the thread counts in `to`.
void switch_area(const Area* from, Area* to) {
  if (from == to) return;
  for (unsigned i = 0; i < kRegisterCount; ++i) to->registers[i] = from->registers[i];
  to->unmask = from->unmask;
  to->mask = from->mask;
  kernel_call(kArchPrctl, kSetGs, gs_of(to));
}

/// The node that is now innermost.
Node* open_region(Thread* thread, const char* name) {
  Regions& regions = *regions_of(thread);
  if (regions.depth == kMaxDepth) {
    ++regions.lost;
    return nullptr;
  }
  const std::uint32_t parent = innermost(regions);
  std::uint32_t node = find_node(regions, parent, name);
  if (node == kOutside) node = add_node(thread, regions, parent, name);
  regions.open[regions.depth++] = node;
  return &regions.node[node];
}

void begin(Area* area, const char* name) {
  Node* const node = open_region(area->thread, name);
  if (!node || !node->record) return;
  // Where a region was refused, the one around it is entered once more.
  if (is_equal(node->name, name))
    __atomic_store_n(&node->record->entries, node->record->entries + 1, __ATOMIC_RELAXED);
  switch_area(area, node->area);
}

void end(Area* area) {
  Regions& regions = *regions_of(area->thread);
  if (regions.lost > 0) {
    --regions.lost;
    return;
  }
  if (regions.depth == 0) return;
  --regions.depth;
  switch_area(area, regions.node[innermost(regions)].area);
}

void add_work(Area* area, const char* unit, std::uint64_t amount) {
  Regions& regions = *regions_of(area->thread);
  const std::uint32_t context = regions.node[innermost(regions)].context;
  bops_profile_work* record = nullptr;
  for (std::uint32_t i = 0; i < regions.works && !record; ++i) {
    bops_profile_work* const known = regions.work[i].record;
    const char* const name = known->unit;
    Word size = 0;
    while (size < known->unit_size && unit[size] == name[size]) ++size;
    if (regions.work[i].context == context && size == known->unit_size && unit[size] == '\0')
      record = known;
  }
  if (!record && regions.works < kMaxWorks) {
    const Guard guard(engine.lock);
    record = profile_writer_add_work(&engine.writer, context, unit);
    if (record) regions.work[regions.works++] = {context, record};
  }
  if (record) __atomic_store_n(&record->amount, record->amount + amount, __ATOMIC_RELAXED);
}

}  // namespace

std::int64_t region_call(Area* area, Word operation, Word pointer, Word amount) {
  char name[BOPS_REGION_MAX_NAME_SIZE + 1];
  switch (operation) {
    case BOPS_REGION_PROBE: return BOPS_REGION_PRESENT;
    case BOPS_REGION_BEGIN:
      if (read_name(pointer, name)) begin(area, name);
      return 0;
    case BOPS_REGION_END: end(area); return 0;
    case BOPS_REGION_WORK:
      if (read_name(pointer, name)) add_work(area, name, amount);
      return 0;
    default: return 0;
  }
}

void reopen_regions(Area* area) {
  Thread* const thread = area->thread;
  const auto* const parents = reinterpret_cast<const Regions*>(thread->regions);
  if (!parents) return;
  thread->regions = 0;
  for (std::uint32_t i = 0; i < parents->depth; ++i) {
    const std::uint32_t node = parents->open[i];
    if (node == kOutside || !open_region(thread, parents->node[node].name)) continue;
  }
  give_up_memory(word(parents), sizeof(Regions));
  const Regions* const regions = reinterpret_cast<const Regions*>(thread->regions);
  if (regions) switch_area(area, regions->node[innermost(*regions)].area);
}

void forget_regions(Thread* thread) {
  if (thread->regions != 0) give_up_memory(thread->regions, sizeof(Regions));
  thread->regions = 0;
}

}  // namespace bops::native
