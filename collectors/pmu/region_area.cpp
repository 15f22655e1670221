#include "collectors/pmu/region_area.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace bops::pmu {
namespace {

constexpr std::size_t kSize = sizeof(bops_region_area);

std::optional<std::size_t> index_or_none(std::uint32_t index) {
  return index == BOPS_REGION_NONE ? std::nullopt : std::optional<std::size_t>(index);
}

std::string name_of(const char* text) {
  return {text, ::strnlen(text, BOPS_REGION_NAME_BYTES - 1)};
}

void set_name(char* to, const std::string& name) {
  const std::size_t size = std::min<std::size_t>(name.size(), BOPS_REGION_NAME_BYTES - 1);
  std::copy_n(name.begin(), size, to);
  to[size] = '\0';
}

/// Whether the indices in an area are sound, so that reading it does no harm.
bool is_sound(const bops_region_area& area) {
  if (area.contexts > BOPS_REGION_MAX_CONTEXTS || area.works > BOPS_REGION_MAX_WORKS ||
      area.depth > BOPS_REGION_MAX_DEPTH)
    return false;
  for (std::uint32_t i = 0; i < area.contexts; ++i)
    if (area.context[i].parent != BOPS_REGION_NONE && area.context[i].parent >= i) return false;
  for (std::uint32_t i = 0; i < area.works; ++i)
    if (area.work[i].context != BOPS_REGION_NONE && area.work[i].context >= area.contexts)
      return false;
  return std::all_of(area.open, area.open + area.depth,
                     [&area](std::uint32_t context) { return context < area.contexts; });
}

/// What the thread was about to do when it was seen, or killed.
bool carry_out(bops_region_area& area) {
  const bops_region_change& next = area.next;
  if (next.contexts > BOPS_REGION_MAX_CONTEXTS || next.depth > BOPS_REGION_MAX_DEPTH ||
      (next.left != BOPS_REGION_NONE && next.left >= next.contexts) ||
      (next.entered != BOPS_REGION_NONE && next.entered >= next.contexts))
    return false;
  if (next.left != BOPS_REGION_NONE) area.context[next.left].counted = next.left_counted;
  area.last = next.last;
  area.contexts = next.contexts;
  area.depth = next.depth;
  if (next.depth > 0) area.open[next.depth - 1] = next.top;
  if (next.entered != BOPS_REGION_NONE) area.context[next.entered].entries = next.entries;
  return true;
}

/// Copies what is used of an area that its thread may write to meanwhile.
void copy_used(const bops_region_area& from, bops_region_area& to) {
  constexpr std::size_t kHead = offsetof(bops_region_area, context);
  std::memcpy(&to, &from, kHead);
  const auto contexts =
      std::min<std::uint32_t>(std::max(to.contexts, to.next.contexts), BOPS_REGION_MAX_CONTEXTS);
  const auto works = std::min<std::uint32_t>(to.works, BOPS_REGION_MAX_WORKS);
  std::memcpy(to.context, from.context, contexts * sizeof(to.context[0]));
  std::memcpy(to.work, from.work, works * sizeof(to.work[0]));
}

}  // namespace

Result<std::unique_ptr<RegionArea>> RegionArea::create(pid_t tid,
                                                       const std::vector<std::uint32_t>& words,
                                                       const RegionState& inherited) {
  UniqueFd file(::memfd_create("bops-regions", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // Sealed: the target must not take the memory from under bops.
  if (!file || ::ftruncate(file.get(), kSize) != 0 ||
      ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return failure("cannot make memory for regions: " + std::generic_category().message(errno));
  void* const mapped = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED)
    return failure("cannot map memory for regions: " + std::generic_category().message(errno));
  auto* const area = static_cast<bops_region_area*>(mapped);
  std::memcpy(area->magic, BOPS_REGION_AREA_MAGIC, sizeof(area->magic));
  area->size = kSize;
  area->tid = tid;
  area->groups = static_cast<std::uint32_t>(words.size());
  std::copy(words.begin(), words.end(), area->words);
  for (const RegionState::Context& context : inherited.contexts) {
    bops_region_context& made = area->context[area->contexts++];
    made.parent = context.parent ? static_cast<std::uint32_t>(*context.parent) : BOPS_REGION_NONE;
    set_name(made.name, context.name);
  }
  for (const std::size_t context : inherited.open)
    area->open[area->depth++] = static_cast<std::uint32_t>(context);
  return std::unique_ptr<RegionArea>(new RegionArea(std::move(file), area));
}

RegionArea::~RegionArea() {
  ::munmap(area_, kSize);
}

std::optional<RegionState> RegionArea::read() const {
  constexpr int kTries = 1000;  // a thread that changes it in each of them writes nonsense
  const auto copy = std::make_unique_for_overwrite<bops_region_area>();
  bool is_whole = false;
  for (int i = 0; i < kTries && !is_whole; ++i) {
    const std::uint64_t before = __atomic_load_n(&area_->sequence, __ATOMIC_ACQUIRE);
    copy_used(*area_, *copy);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    is_whole = __atomic_load_n(&area_->sequence, __ATOMIC_ACQUIRE) == before;
    copy->sequence = before;
  }
  if (!is_whole || (copy->sequence % 2 == 1 && !carry_out(*copy)) || !is_sound(*copy))
    return std::nullopt;
  RegionState state;
  for (std::uint32_t i = 0; i < copy->contexts; ++i) {
    const bops_region_context& context = copy->context[i];
    state.contexts.push_back(
        {index_or_none(context.parent), name_of(context.name), context.entries, context.counted});
  }
  for (std::uint32_t i = 0; i < copy->works; ++i)
    state.work.push_back(
        {index_or_none(copy->work[i].context), name_of(copy->work[i].unit), copy->work[i].amount});
  state.open.assign(copy->open, copy->open + copy->depth);
  state.last = copy->last;
  state.sequence = copy->sequence;
  state.taken = copy->taken != 0;
  state.lost = copy->lost != 0;
  state.refused = copy->refused != 0;
  return state;
}

void RegionArea::end(bops_region_end how) {
  __atomic_store_n(&area_->ended, static_cast<std::uint32_t>(how), __ATOMIC_RELEASE);
}

RegionState only_open(const RegionState& state) {
  std::vector<bool> wanted(state.contexts.size());
  for (const std::size_t innermost : state.open)
    for (std::optional<std::size_t> context = innermost; context && !wanted[*context];
         context = state.contexts[*context].parent)
      wanted[*context] = true;
  RegionState open;
  std::vector<std::size_t> place(state.contexts.size());
  for (std::size_t i = 0; i < state.contexts.size(); ++i) {
    if (!wanted[i]) continue;
    place[i] = open.contexts.size();
    const RegionState::Context& context = state.contexts[i];
    open.contexts.push_back({context.parent ? std::optional(place[*context.parent]) : std::nullopt,
                             context.name,
                             0,
                             {}});
  }
  for (const std::size_t context : state.open) open.open.push_back(place[context]);
  return open;
}

}  // namespace bops::pmu
