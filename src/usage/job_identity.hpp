// Which job, rank, container and pod a process belongs to.
#pragma once

#include <sys/types.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "model/error.hpp"
#include "usage/usage_record.hpp"

namespace bops {

/// A variable of the process's environment, if it is set and not empty.
using VariableLookup = std::function<std::optional<std::string>(const char* name)>;

/// Reads "NAME=value" entries.
[[nodiscard]] VariableLookup lookup_in(std::vector<std::string> environment);
/// The environment that a process was started with; nothing is found where it cannot be read.
[[nodiscard]] VariableLookup environment_of(pid_t pid);

/// The attributes of all the batch systems and launchers that the variables name: slurm.job_id,
/// pmix.namespace, mpi.rank, pbs.job_id, lsf.job_id, flux.job_id, torchelastic.run_id,
/// k8s.pod.name, ...; and of the first of them job.id, which is what a job is summed by. Values
/// that do not look like such ids are left out: these variables can be set by anyone.
[[nodiscard]] nlohmann::json job_attributes(const VariableLookup& variable);

/// Of /proc/PID/cgroup and, where a cgroup namespace hides the path ("0::/"), /proc/PID/mountinfo.
struct CgroupIdentity {
  std::string container;  ///< 64 hexadecimal digits; empty: unknown
  std::string pod;        ///< uid of the Kubernetes pod; empty: none
  std::string slurm_job;  ///< slurmd puts the processes of a job in .../job_ID/...; empty: none
};
[[nodiscard]] CgroupIdentity cgroup_identity(std::string_view cgroup, std::string_view mountinfo);
[[nodiscard]] CgroupIdentity read_cgroup_identity(pid_t pid);

struct Tenant {
  std::string name;
  TenantSource source;
};

/// The tenant: as declared on the command line; else as the host's administrator says in the file
/// (a line of its own, root's alone to write); else the Slurm job, the pod or the container that
/// the kernel says the process is in. Fails if there is none of them.
[[nodiscard]] Result<Tenant> find_tenant(const std::string& declared, const CgroupIdentity& cgroup,
                                         const std::string& host_file);

/// /etc/bops/tenant
inline constexpr const char* kHostTenantFile = "/etc/bops/tenant";

}  // namespace bops
