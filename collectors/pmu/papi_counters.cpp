#include "collectors/pmu/papi_counters.hpp"

#include <linux/perf_event.h>
#include <papi.h>

#include <array>
#include <cstdio>
#include <utility>

#include "collectors/pmu/perf_access.hpp"
#include "platform/procfs.hpp"

namespace bops::pmu {
namespace {

// PAPI's component of the CPU's counters.
constexpr int kCpuComponent = 0;
constexpr int kFirstToReadRunning = PAPI_VERSION_NUMBER(7, 1, 0, 0);

/// PAPI's names for raw codes; the kernel's own events by their names.
std::string papi_name(const Event& event) {
  if (event.type != PERF_TYPE_RAW) return "perf::" + event.name;
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), "perf_raw::r%llx",
                static_cast<unsigned long long>(event.config));
  return name.data();
}

/// PAPI has no text for some of its codes.
Error papi_error(const std::string& doing, int code) {
  const char* const text = PAPI_strerror(code);
  return {
      "PAPI cannot " + doing + ": " + (text != nullptr ? text : "error " + std::to_string(code)),
      "count through perf_event_open alone: --collector perf", FailureKind::kRefused};
}

/// PAPI's global state, from its initialisation to its shutdown.
class PapiLibrary {
 public:
  PapiLibrary() : version_(PAPI_library_init(PAPI_VER_CURRENT)) {
    if (is_usable() && version() < kFirstToReadRunning) read_by_system_call();
  }
  PapiLibrary(const PapiLibrary&) = delete;
  PapiLibrary& operator=(const PapiLibrary&) = delete;
  ~PapiLibrary() {
    if (is_usable()) PAPI_shutdown();
  }
  [[nodiscard]] bool is_usable() const { return version_ == PAPI_VER_CURRENT; }
  [[nodiscard]] static int version() { return PAPI_get_opt(PAPI_LIB_VERSION, nullptr); }
  /// Whether it reads other threads' counters by rdpmc, which reads those of bops's CPU.
  [[nodiscard]] static bool reads_by_instruction() {
    const PAPI_component_info_t* const component = PAPI_get_component_info(kCpuComponent);
    return component == nullptr || component->fast_counter_read != 0;
  }

 private:
  /// PAPI itself clears the flag where a counter cannot be mapped, and goes on by read(2).
  static void read_by_system_call() {
    const PAPI_component_info_t* const component = PAPI_get_component_info(kCpuComponent);
    if (component != nullptr) const_cast<PAPI_component_info_t*>(component)->fast_counter_read = 0;
  }

  int version_;
};

class PapiCounters;

/// One EventSet on one thread.
class PapiOpenCounters final : public OpenCounters {
 public:
  PapiOpenCounters(PapiCounters& owner, int event_set) : owner_(owner), event_set_(event_set) {}
  ~PapiOpenCounters() override;
  [[nodiscard]] Result<Reading> read() override;
  [[nodiscard]] std::string_view via() const override { return "papi"; }

 private:
  PapiCounters& owner_;
  int event_set_;
};

class PapiCounters final : public ThreadCounters {
 public:
  PapiCounters(std::vector<Role> roles, bool with_kernel)
      : roles_(std::move(roles)), with_kernel_(with_kernel) {}
  ~PapiCounters() override {
    for (const int event_set : idle_) discard(event_set);
  }

  [[nodiscard]] bool is_usable() const { return library_.is_usable(); }
  [[nodiscard]] Result<void> resolve(const EventSet& set);
  [[nodiscard]] Result<std::unique_ptr<OpenCounters>> open(pid_t tid, Start start) override;
  [[nodiscard]] bool starts_on_exec() const override { return false; }
  [[nodiscard]] bool reads_running_threads() const override {
    return papi_reads_running_threads() || !PapiLibrary::reads_by_instruction();
  }

  [[nodiscard]] const std::vector<Role>& roles() const { return roles_; }
  void give_back(int event_set) { idle_.push_back(event_set); }
  static void discard(int event_set) {
    PAPI_cleanup_eventset(event_set);
    PAPI_destroy_eventset(&event_set);
  }

 private:
  [[nodiscard]] Result<int> event_set();
  [[nodiscard]] int set_domain(int event_set) const;

  PapiLibrary library_;
  std::vector<Role> roles_;
  bool with_kernel_;
  std::vector<int> codes_;
  std::vector<int> idle_;  ///< EventSets with the events in them, attached to nothing
};

Result<void> PapiCounters::resolve(const EventSet& set) {
  for (const Role role : roles_) {
    const std::string name = papi_name(event_of(set, role));
    int code = 0;
    if (const int error = PAPI_event_name_to_code(name.c_str(), &code); error != PAPI_OK)
      return tl::unexpected(papi_error("encode the event " + name, error));
    codes_.push_back(code);
  }
  return {};
}

int PapiCounters::set_domain(int event_set) const {
  PAPI_option_t option{};
  option.domain.eventset = event_set;
  option.domain.domain = with_kernel_ ? PAPI_DOM_USER | PAPI_DOM_KERNEL : PAPI_DOM_USER;
  return PAPI_set_opt(PAPI_DOMAIN, &option);
}

/// The events are added before there is a thread to count: PAPI opens them at each addition,
/// enables and disables them, and every such call on another thread's event interrupts a CPU.
Result<int> PapiCounters::event_set() {
  if (!idle_.empty()) {
    const int event_set = idle_.back();
    idle_.pop_back();
    return event_set;
  }
  int event_set = PAPI_NULL;
  if (const int error = PAPI_create_eventset(&event_set); error != PAPI_OK)
    return tl::unexpected(papi_error("make an EventSet", error));
  const auto give_up = [&](const char* doing, int error) {
    discard(event_set);
    return tl::unexpected(papi_error(doing, error));
  };
  int error = PAPI_assign_eventset_component(event_set, kCpuComponent);
  if (error == PAPI_OK) error = set_domain(event_set);
  if (error != PAPI_OK) return give_up("set up an EventSet", error);
  for (const int code : codes_) {
    error = PAPI_add_event(event_set, code);
    if (error != PAPI_OK) return give_up("count these events together", error);
  }
  return event_set;
}

Result<std::unique_ptr<OpenCounters>> PapiCounters::open(pid_t tid, Start /*start*/) {
  const auto event_set = this->event_set();
  if (!event_set) return tl::unexpected(event_set.error());
  const auto give_up = [&](const char* doing, int error) -> Result<std::unique_ptr<OpenCounters>> {
    discard(*event_set);
    if (has_ended(tid)) return nullptr;
    return tl::unexpected(papi_error(doing, error));
  };
  if (const int error = PAPI_attach(*event_set, static_cast<unsigned long>(tid)); error != PAPI_OK)
    return give_up("attach to a thread", error);
  // PAPI_start opens all events again if something else was done last in the thread's context, and
  // PAPI_attach does not count as done there. Setting the domain does, and changes nothing.
  if (const int error = set_domain(*event_set); error != PAPI_OK)
    return give_up("attach to a thread", error);
  if (const int error = PAPI_start(*event_set); error != PAPI_OK)
    return give_up("start its counters", error);
  return std::make_unique<PapiOpenCounters>(*this, *event_set);
}

PapiOpenCounters::~PapiOpenCounters() {
  std::array<long long, 8> values{};
  PAPI_stop(event_set_, values.data());
  if (PAPI_detach(event_set_) == PAPI_OK) {
    owner_.give_back(event_set_);
  } else {
    PapiCounters::discard(event_set_);
  }
}

Result<Reading> PapiOpenCounters::read() {
  std::array<long long, 8> values{};
  if (const int error = PAPI_read(event_set_, values.data()); error != PAPI_OK)
    return tl::unexpected(papi_error("read its counters", error));
  Reading reading;
  bool any = false;
  for (std::size_t i = 0; i < owner_.roles().size(); ++i) {
    const auto value = static_cast<std::uint64_t>(values.at(i));
    any |= value != 0;
    switch (owner_.roles()[i]) {
      case Role::kInstructions: reading.counts.total = value; break;
      case Role::kLoads: reading.counts.loads = value; break;
      case Role::kStores: reading.counts.stores = value; break;
      case Role::kBranches: reading.counts.branches = value; break;
      case Role::kCycles: reading.cycles = value; break;
    }
  }
  if (!any) reading.state = Reading::State::kNeverScheduled;
  return reading;
}

}  // namespace

Result<std::string> papi_version() {
  const PapiLibrary library;
  if (!library.is_usable())
    return failure("the installed PAPI is not the one that bops was built with, or cannot start",
                   "install the same PAPI, or build bops again");
  const int version = PapiLibrary::version();
  return std::to_string(PAPI_VERSION_MAJOR(version)) + "." +
         std::to_string(PAPI_VERSION_MINOR(version)) + "." +
         std::to_string(PAPI_VERSION_REVISION(version));
}

bool papi_reads_running_threads() {
  return PapiLibrary::version() >= kFirstToReadRunning;
}

Result<std::unique_ptr<ThreadCounters>> make_papi_counters(const std::vector<EventSet>& sets,
                                                           bool with_kernel) {
  if (sets.size() != 1)
    return failure("PAPI does not count on CPUs with several kinds of cores",
                   "count with --collector perf");
  if (sets.front().groups.size() != 1)
    return failure(
        "the events do not fit this CPU's counters together, and PAPI does not say how "
        "long each was counted",
        "count with --collector perf");
  auto counters = std::make_unique<PapiCounters>(sets.front().groups.front(), with_kernel);
  if (!counters->is_usable()) return failure("PAPI cannot start", "count with --collector perf");
  if (auto resolved = counters->resolve(sets.front()); !resolved)
    return tl::unexpected(resolved.error());
  return counters;
}

}  // namespace bops::pmu
