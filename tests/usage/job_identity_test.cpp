#include "usage/job_identity.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/platform/temporary_directory.hpp"

namespace bops {
namespace {

const std::string kId(64, 'a');

TEST(JobAttributes, take_the_first_system_that_names_a_job_and_keep_all) {
  const auto attributes = job_attributes(lookup_in(
      {"FLUX_JOB_ID=f1", "SLURM_JOB_ID=42", "SLURM_STEP_ID=0", "SLURM_PROCID=3",
       "PMIX_NAMESPACE=slurm.42.0", "OMPI_COMM_WORLD_RANK=7", "POD_NAME=web-0", "HOME=/root"}));
  EXPECT_EQ(attributes.at("job.id"), "42");
  EXPECT_EQ(attributes.at("slurm.job_id"), "42");
  EXPECT_EQ(attributes.at("pmix.namespace"), "slurm.42.0");
  EXPECT_EQ(attributes.at("flux.job_id"), "f1");
  EXPECT_EQ(attributes.at("mpi.rank"), "3");
  EXPECT_EQ(attributes.at("ompi.rank"), "7");
  EXPECT_EQ(attributes.at("k8s.pod.name"), "web-0");
  EXPECT_FALSE(attributes.contains("HOME"));
}

TEST(JobAttributes, of_no_job_are_none) {
  EXPECT_TRUE(job_attributes(lookup_in({"PATH=/bin", "RANK=", "SLURM_JOB_ID="})).empty());
}

TEST(JobAttributes, leave_out_what_is_no_id) {
  EXPECT_TRUE(job_attributes(lookup_in({"SLURM_JOB_ID=two words", "RANK=" + std::string(999, '1'),
                                        "POD_NAME=new\nline", "PBS_JOBID=\xff"}))
                  .empty());
}

TEST(CgroupIdentity, is_read_from_the_paths_of_every_container_engine) {
  for (const std::string& cgroup :
       {"0::/system.slice/docker-" + kId + ".scope\n", "12:cpu:/docker/" + kId + "\n0::/\n",
        "0::/user.slice/user-1000.slice/libpod-" + kId + ".scope/container\n",
        "0::/kubepods.slice/kubepods-pod1a2b3c4d_0000_4000_8000_123456789abc.slice/"
        "cri-containerd-" +
            kId + ".scope\n"})
    EXPECT_EQ(cgroup_identity(cgroup, "").container, kId) << cgroup;
}

TEST(CgroupIdentity, knows_the_pod_and_the_slurm_job) {
  EXPECT_EQ(cgroup_identity("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-"
                            "pod1a2b3c4d_0000_4000_8000_123456789abc.slice/crio-" +
                                kId + ".scope",
                            "")
                .pod,
            "1a2b3c4d-0000-4000-8000-123456789abc");
  EXPECT_EQ(
      cgroup_identity("5:memory:/kubepods/pod1a2b3c4d-0000-4000-8000-123456789abc/" + kId, "").pod,
      "1a2b3c4d-0000-4000-8000-123456789abc");
  EXPECT_EQ(cgroup_identity("0::/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0\n", "")
                .slurm_job,
            "4711");
  EXPECT_EQ(cgroup_identity("0::/user.slice/job_4711\n", "").slurm_job, "") << "not slurm's";
}

TEST(CgroupIdentity, in_a_cgroup_namespace_is_read_from_the_mounts) {
  const std::string mounts =
      "600 599 0:48 / / rw - overlay overlay rw,lowerdir=/x\n"
      "610 600 8:1 /var/lib/docker/containers/" +
      kId + "/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n";
  EXPECT_EQ(cgroup_identity("0::/\n", mounts).container, kId);
  EXPECT_EQ(cgroup_identity("0::/\n", "").container, "") << "unknown";
  EXPECT_EQ(
      cgroup_identity("0::/init.scope\n", "31 23 0:28 / /sys rw - sysfs sysfs rw\n").container, "");
}

TEST(Tenant, that_is_declared_comes_first_and_is_marked_so) {
  const auto tenant = find_tenant("acme", {kId, "pod", "42"}, "/no/such/file");
  ASSERT_TRUE(tenant);
  EXPECT_EQ(tenant->name, "acme");
  EXPECT_EQ(tenant->source, TenantSource::kDeclared);
}

TEST(Tenant, that_is_not_declared_is_the_hosts_or_the_cgroups) {
  EXPECT_EQ(find_tenant("", {kId, "uid", "42"}, "/no/such/file")->source, TenantSource::kSlurm);
  EXPECT_EQ(find_tenant("", {kId, "uid", ""}, "/no/such/file")->name, "pod/uid");
  EXPECT_EQ(find_tenant("", {kId, "", ""}, "/no/such/file")->name, "container/" + kId);
  EXPECT_FALSE(find_tenant("", {}, "/no/such/file"));
  if (::getuid() != 0) GTEST_SKIP() << "only root can make a file of root's";
  const TemporaryDirectory directory;
  std::ofstream(directory / "tenant") << "host-tenant\n";
  std::filesystem::permissions(directory / "tenant", std::filesystem::perms(0644));
  EXPECT_EQ(find_tenant("", {kId, "", ""}, directory / "tenant")->name, "host-tenant");
  std::filesystem::permissions(directory / "tenant", std::filesystem::perms(0666));
  EXPECT_EQ(find_tenant("", {kId, "", ""}, directory / "tenant")->name, "container/" + kId)
      << "anyone could have written it";
}

}  // namespace
}  // namespace bops
