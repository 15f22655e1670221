#include "usage/job_identity.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "platform/files.hpp"

namespace bops {
namespace {

constexpr std::size_t kContainerIdSize = 64;
constexpr std::size_t kMaxValueSize = 128;

/// A variable, and the attribute that keeps it.
struct Known {
  const char* variable;
  const char* attribute;
};

// In the order in which they name the job.
constexpr std::array<Known, 6> kJobs{{{"SLURM_JOB_ID", "slurm.job_id"},
                                      {"PMIX_NAMESPACE", "pmix.namespace"},
                                      {"TORCHELASTIC_RUN_ID", "torchelastic.run_id"},
                                      {"PBS_JOBID", "pbs.job_id"},
                                      {"LSB_JOBID", "lsf.job_id"},
                                      {"FLUX_JOB_ID", "flux.job_id"}}};
constexpr std::array<Known, 4> kRanks{{{"SLURM_PROCID", "slurm.procid"},
                                       {"OMPI_COMM_WORLD_RANK", "ompi.rank"},
                                       {"PMI_RANK", "pmi.rank"},
                                       {"RANK", "torch.rank"}}};
constexpr std::array<Known, 4> kOthers{{{"SLURM_STEP_ID", "slurm.step_id"},
                                        {"POD_NAME", "k8s.pod.name"},
                                        {"POD_UID", "k8s.pod.uid"},
                                        {"POD_NAMESPACE", "k8s.namespace.name"}}};

/// Ids are printable ASCII without spaces; anything else in such a variable is none.
bool looks_like_an_id(const std::string& value) {
  return !value.empty() && value.size() <= kMaxValueSize &&
         std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/// The last run of exactly 64 hexadecimal digits.
std::string last_container_id(std::string_view text) {
  std::string found;
  for (std::size_t begin = 0; begin < text.size();) {
    if (!is_hex(text[begin])) {
      ++begin;
      continue;
    }
    std::size_t end = begin;
    while (end < text.size() && is_hex(text[end])) ++end;
    if (end - begin == kContainerIdSize) found = text.substr(begin, end - begin);
    begin = end;
  }
  return found;
}

/// What follows `mark` at the beginning of a part of the path, up to the end of that part.
std::string part_after(std::string_view path, std::string_view mark) {
  for (std::size_t at = path.find(mark); at != std::string_view::npos;
       at = path.find(mark, at + 1)) {
    const std::string_view rest = path.substr(at + mark.size());
    std::string value(rest.substr(0, rest.find_first_of("/\n")));
    if (!value.empty()) return value;
  }
  return {};
}

/// "pod1234_5678....slice" or "pod1234-5678-...": the uid, with dashes.
std::string pod_uid(std::string_view cgroup) {
  constexpr std::size_t kUidSize = 36;
  for (const char* mark : {"-pod", "/pod"}) {
    std::string uid = part_after(cgroup, mark).substr(0, kUidSize);
    std::replace(uid.begin(), uid.end(), '_', '-');
    if (uid.size() == kUidSize && std::count(uid.begin(), uid.end(), '-') == 4) return uid;
  }
  return {};
}

/// Docker, containerd and podman mount files of the container's own directory, whose name is its
/// id: ".../containers/ID/hostname".
std::string container_of_mounts(std::string_view mountinfo) {
  for (std::size_t begin = 0; begin < mountinfo.size();) {
    const std::size_t end = std::min(mountinfo.find('\n', begin), mountinfo.size());
    const std::string_view line = mountinfo.substr(begin, end - begin);
    begin = end + 1;
    if (line.find("containers/") == std::string_view::npos) continue;
    if (std::string id = last_container_id(line); !id.empty()) return id;
  }
  return {};
}

}  // namespace

VariableLookup lookup_in(std::vector<std::string> environment) {
  return [environment = std::move(environment)](const char* name) -> std::optional<std::string> {
    const std::string start = std::string(name) + "=";
    for (const std::string& entry : environment)
      if (entry.starts_with(start) && entry.size() > start.size())
        return entry.substr(start.size());
    return std::nullopt;
  };
}

VariableLookup environment_of(pid_t pid) {
  const std::string text =
      read_file_whole("/proc/" + std::to_string(pid) + "/environ").value_or("");
  std::vector<std::string> entries;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    entries.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lookup_in(std::move(entries));
}

nlohmann::json job_attributes(const VariableLookup& variable) {
  nlohmann::json attributes = nlohmann::json::object();
  const auto store = [&](const Known& known, const char* first) {
    const auto value = variable(known.variable);
    if (!value || !looks_like_an_id(*value)) return;
    attributes[known.attribute] = *value;
    if (first != nullptr && !attributes.contains(first)) attributes[first] = *value;
  };
  for (const Known& job : kJobs) store(job, "job.id");
  for (const Known& rank : kRanks) store(rank, "mpi.rank");
  for (const Known& other : kOthers) store(other, nullptr);
  return attributes;
}

CgroupIdentity cgroup_identity(std::string_view cgroup, std::string_view mountinfo) {
  CgroupIdentity identity;
  identity.container = last_container_id(cgroup);
  identity.pod = pod_uid(cgroup);
  if (cgroup.find("slurm") != std::string_view::npos) {
    const std::string job = part_after(cgroup, "/job_");
    if (!job.empty() &&
        std::all_of(job.begin(), job.end(), [](char c) { return c >= '0' && c <= '9'; }))
      identity.slurm_job = job;
  }
  if (identity.container.empty()) identity.container = container_of_mounts(mountinfo);
  return identity;
}

CgroupIdentity read_cgroup_identity(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/";
  return cgroup_identity(read_file_whole(directory + "cgroup").value_or(""),
                         read_file_whole(directory + "mountinfo").value_or(""));
}

Result<Tenant> find_tenant(const std::string& declared, const CgroupIdentity& cgroup,
                           const std::string& host_file) {
  if (!declared.empty()) return Tenant{declared, TenantSource::kDeclared};
  struct stat status {};
  if (::stat(host_file.c_str(), &status) == 0 && status.st_uid == 0 &&
      (status.st_mode & (S_IWGRP | S_IWOTH)) == 0) {
    std::string name = read_file_whole(host_file).value_or("");
    name.erase(std::min(name.find('\n'), name.size()));
    if (!name.empty()) return Tenant{name, TenantSource::kHost};
  }
  if (!cgroup.slurm_job.empty())
    return Tenant{"slurm-job/" + cgroup.slurm_job, TenantSource::kSlurm};
  if (!cgroup.pod.empty()) return Tenant{"pod/" + cgroup.pod, TenantSource::kCgroup};
  if (!cgroup.container.empty())
    return Tenant{"container/" + cgroup.container, TenantSource::kCgroup};
  return failure("no tenant is named, and neither " + host_file + " nor the cgroup names one",
                 "say whose usage it is: --tenant NAME");
}

}  // namespace bops
