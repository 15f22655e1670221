#include "collectors/pmu/libpfm.hpp"

#include <linux/perf_event.h>
#include <perfmon/pfmlib.h>
#include <perfmon/pfmlib_perf_event.h>

#include <array>
#include <cstdio>

#include "collectors/pmu/event_table.hpp"

namespace bops::pmu {
namespace {

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(number));
  return text.data();
}

Result<void> check_event(const EventSet& set, const Event& event) {
  if (event.name.empty()) return {};
  const auto encoding = libpfm_encoding(set.libpfm, event.name);
  // On a hybrid, libpfm4 after 4.13 gives the type of the kind of core.
  if (!encoding || (encoding->config == event.config &&
                    (encoding->type == PERF_TYPE_RAW || encoding->type == event.type)))
    return {};
  return failure("libpfm4 encodes " + set.libpfm + "::" + event.name + " as type " +
                     std::to_string(encoding->type) + ", " + hexadecimal(encoding->config) +
                     ", but the event file " + set.table + " has type " +
                     std::to_string(event.type) + ", " + hexadecimal(event.config),
                 "one of them is wrong: please report it with the version of libpfm4; until then "
                 "count with --collector native");
}

}  // namespace

bool libpfm_has_pmu(const std::string& pmu) {
  if (pmu.empty() || pfm_initialize() != PFM_SUCCESS) return false;
  for (int index = 0; index < PFM_PMU_MAX; ++index) {
    pfm_pmu_info_t info{};
    info.size = sizeof(info);
    if (pfm_get_pmu_info(static_cast<pfm_pmu_t>(index), &info) == PFM_SUCCESS && pmu == info.name)
      return true;
  }
  return false;
}

std::optional<Encoding> libpfm_encoding(const std::string& pmu, const std::string& event) {
  if (pmu.empty() || pfm_initialize() != PFM_SUCCESS) return std::nullopt;
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  pfm_perf_encode_arg_t argument{};
  argument.attr = &attributes;
  argument.size = sizeof(argument);
  const std::string name = pmu + "::" + event;
  if (pfm_get_os_event_encoding(name.c_str(), PFM_PLM3, PFM_OS_PERF_EVENT, &argument) !=
      PFM_SUCCESS)
    return std::nullopt;
  return Encoding{attributes.type, attributes.config};
}

Result<void> check_encoding(const EventSet& set) {
  for (const Event* event : {&set.instructions, &set.loads, &set.stores, &set.branches})
    if (auto checked = check_event(set, *event); !checked) return checked;
  if (set.cycles)
    if (auto checked = check_event(set, *set.cycles); !checked) return checked;
  for (const VectorEvent& vector : set.vector_events)
    if (auto checked = check_event(set, vector.event); !checked) return checked;
  return {};
}

}  // namespace bops::pmu
