// bops run --usage as an operator meets it.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/harness/subprocess.hpp"
#include "tests/usage/written_usage.hpp"
#include "usage/records_files.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::run;
using harness::target_program;
using harness::TemporaryDirectory;
using written::records_of, written::sum;
using Words = std::vector<std::string>;

class UsageRun : public ::testing::Test {
 protected:
  harness::Ended bops(Words words) const {
    words.insert(words.begin(), bops_program());
    return run(words, variables());
  }
  [[nodiscard]] std::map<std::string, std::string> variables() const {
    return {{"XDG_CONFIG_HOME", directory_ / "config"}};
  }
  harness::TemporaryDirectory directory_;
};

TEST_F(UsageRun, writes_records_that_sum_to_the_report_and_verify) {
  const std::string file = directory_ / "usage.jsonl";
  const std::string report = directory_ / "report.json";
  const auto ended = bops({"run", "--usage", file, "--tenant", "acme", "--usage-interval", "50ms",
                           "--label", "model=m1", "--work", "tokens=128", "-o", report, "--",
                           target_program("busy_loop"), "300000000"});
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const auto totals = nlohmann::json::parse(harness::read_file(report)).at("totals");
  const auto records = records_of(file);
  EXPECT_EQ(sum(records, "instructions"), totals.at("instructions"));
  EXPECT_EQ(sum(records, "bops_formula"), totals.at("bops_formula"));
  EXPECT_EQ(sum(records, "bops_decoded"), totals.at("operations").at("total"));
  EXPECT_EQ(sum(records, "tokens"), 128U);
  EXPECT_GT(sum(records, "cpu_time"), 0U);
  std::uint64_t seq = 0;
  UtcNs end = 0;
  for (const UsageRecord& record : records) {
    EXPECT_EQ(record.seq, seq);
    EXPECT_EQ(record.key.id, std::to_string(seq++));
    EXPECT_GE(record.start, end == 0 ? record.start : 0);
    end = record.end;
    EXPECT_EQ(record.attrs.at("model"), "m1");
    EXPECT_TRUE(record.attrs.contains("bops.collector"));
    EXPECT_EQ(record.tenant_source, TenantSource::kDeclared);
    if (record.meter == "instructions") {
      EXPECT_EQ(record.method, UsageMethod::kCounted);
      EXPECT_EQ(record.rel_err_ppm, 0);
      EXPECT_EQ(record.integrity, UsageIntegrity::kInTarget);
      EXPECT_EQ(record.coverage_ppm, kPpm);
    }
  }
  EXPECT_EQ(bops({"usage", "verify", file}).code, 0);
}

TEST_F(UsageRun, writes_while_the_target_runs_and_a_kill_loses_the_open_interval_only) {
  const std::string file = directory_ / "usage.jsonl";
  // The target runs until it is killed: however slow the machine, bops is killed before it ends.
  harness::Subprocess running(
      {bops_program(), "run", "--usage", file, "--tenant", "acme", "--usage-interval", "20ms", "-o",
       directory_ / "report.json", "--", target_program("busy_loop")},
      variables());
  while (std::filesystem::exists(file) ? std::filesystem::file_size(file) < 4000 : true)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(running.pid(), SIGKILL);
  (void)running.wait();
  ::kill(records_of(file).front().resource.at("process.pid").get<pid_t>(), SIGKILL);
  const auto verified = bops({"usage", "verify", "--json", file});
  EXPECT_EQ(verified.code, 0) << verified.output;
  const auto json = nlohmann::json::parse(verified.output);
  EXPECT_EQ(json.at("sources").size(), 1U);
  EXPECT_FALSE(json.at("sources").at(0).at("closed").get<bool>());
  EXPECT_GE(json.at("sources").at(0).at("lines").get<int>(), 4);
}

TEST_F(UsageRun, gives_each_run_a_file_of_its_own_in_a_directory) {
  const std::string runs = directory_ / "runs/";
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(bops({"run", "--usage", runs, "--tenant", "acme", "--checkpoints",
                    directory_ / "second", "-o", directory_ / "r.json", "--", "/bin/true"})
                  .code,
              0);
  EXPECT_EQ(records_files(runs)->size(), 3U);
  EXPECT_EQ(bops({"usage", "verify", runs, "--checkpoints", directory_ / "second"}).code, 0);
  std::filesystem::remove(records_files(runs)->front());
  EXPECT_EQ(bops({"usage", "verify", runs}).code, 1) << "its checkpoints are still there";
}

TEST_F(UsageRun, never_writes_words_or_environment) {
  const std::string file = directory_ / "usage.jsonl";
  auto environment = variables();
  environment["SECRET_VARIABLE"] = "secret-value";
  environment["SLURM_JOB_ID"] = "4711";
  ASSERT_EQ(run({bops_program(), "run", "--usage", file, "--tenant", "acme", "-o",
                 directory_ / "r.json", "--", "/bin/echo", "secret-word"},
                environment)
                .code,
            0);
  const std::string text = harness::read_file(file);
  EXPECT_EQ(text.find("secret"), std::string::npos);
  EXPECT_EQ(records_of(file).front().resource.at("slurm.job_id"), "4711");
}

TEST_F(UsageRun, refuses_what_makes_no_sense_before_the_target_runs) {
  const std::string touched = directory_ / "touched";
  const auto refused = [&](const Words& options) {
    Words words{"run"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", "/usr/bin/touch", touched});
    const auto ended = bops(words);
    EXPECT_EQ(ended.code, 125) << ended.errors;
    EXPECT_FALSE(std::filesystem::exists(touched)) << ended.errors;
  };
  const std::string file = directory_ / "usage.jsonl";
  refused({"--tenant", "acme"});
  refused({"--usage", file, "--tenant", "acme", "--work", "tokens"});
  refused({"--usage", file, "--tenant", "acme", "--work", "tokens=-1"});
  refused({"--usage", file, "--tenant", "acme", "--work", "tokens=1", "--work", "tokens=2"});
  refused({"--usage", file, "--tenant", "acme", "--usage-interval", "2h"});
  refused({"--usage", file, "--tenant", "acme", "--repeat", "2"});
  refused({"--usage", file, "--tenant", "acme", "--key", "/no/such/key"});
  refused({"--usage", file, "--tenant", "acme", "--work-from", "ftp://x"});
  refused({"--usage", "/no/such/directory/file", "--tenant", "acme"});
}

TEST_F(UsageRun, meters_tenants_by_region_and_the_rest_as_shared) {
  const std::string file = directory_ / "usage.jsonl";
  const std::string report = directory_ / "report.json";
  const auto ended = bops({"run", "--collector", "native", "--usage", file, "--tenant", "acme",
                           "-o", report, "--", target_program("tenants")});
  if (ended.code == 125) GTEST_SKIP() << ended.errors;
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const auto json = nlohmann::json::parse(harness::read_file(report));
  const auto records = records_of(file);
  const std::uint64_t blue = sum(records, "instructions", "blue");
  const std::uint64_t green = sum(records, "instructions", "green");
  EXPECT_EQ(sum(records, "instructions", "acme"), 0U);
  EXPECT_EQ(blue + green + sum(records, "instructions", "shared"),
            json.at("totals").at("instructions").get<std::uint64_t>());
  for (const auto& region : json.at("regions"))
    if (region.at("name") == "tenant=blue") {
      EXPECT_EQ(blue, region.at("instructions"));
    }
  EXPECT_GT(green, blue);
  EXPECT_EQ(sum(records, "tokens", "blue"), 10U);
  EXPECT_EQ(sum(records, "tokens", "green"), 20U);
  EXPECT_EQ(sum(records, "tokens", "shared"), 0U);
}

/// A Prometheus endpoint that has served `tokens` more at each request, on the loopback.
class Endpoint {
 public:
  /// Makes the file `asked` when it is asked for the third time.
  explicit Endpoint(std::string asked)
      : asked_(std::move(asked)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, generic, size), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    EXPECT_EQ(::getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  ~Endpoint() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/metrics";
  }
  [[nodiscard]] std::uint64_t tokens() const { return tokens_; }

 private:
  void serve() {
    for (;;) {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      std::array<char, 4096> request{};
      (void)!::read(client, request.data(), request.size());
      tokens_ += 10;
      if (tokens_ == 30) std::ofstream(asked_) << "\n";
      const std::string body =
          "vllm:generation_tokens_total{model_name=\"m\"} " + std::to_string(tokens_) + ".0\n";
      const std::string answer =
          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n\r\n" + body;
      (void)!::write(client, answer.data(), answer.size());
      ::close(client);
    }
  }
  std::string asked_;
  int listener_;
  int port_ = 0;
  std::atomic<std::uint64_t> tokens_ = 0;
  std::thread thread_;
};

TEST_F(UsageRun, reads_work_from_an_endpoint_and_marks_what_it_did_not_hear_of) {
  const std::string file = directory_ / "usage.jsonl";
  std::uint64_t served = 0;
  {
    // The third question comes when two answers were taken.
    const std::string asked = directory_ / "asked";
    const Endpoint endpoint(asked);
    ASSERT_EQ(bops({"run", "--usage", file, "--tenant", "acme", "--usage-interval", "50ms",
                    "--work-from", endpoint.url(), "-o", directory_ / "r.json", "--", "/bin/sh",
                    "-c", "while [ ! -e " + asked + " ]; do sleep 0.05; done"})
                  .code,
              0);
    served = endpoint.tokens();
  }
  const auto records = records_of(file);
  EXPECT_GE(sum(records, "tokens"), 20U);
  EXPECT_LE(sum(records, "tokens"), served);
  EXPECT_EQ(sum(records, "tokens"), sum(records, "tokens_output"));
  const std::string unheard = directory_ / "unheard.jsonl";
  ASSERT_EQ(bops({"run", "--usage", unheard, "--tenant", "acme", "--work-from",
                  "http://127.0.0.1:1/metrics", "-o", directory_ / "r.json", "--", "/bin/true"})
                .code,
            0)
      << "the target's run is not the endpoint's business";
  EXPECT_EQ(sum(records_of(unheard), "tokens"), 0U);
}

TEST_F(UsageRun, makes_a_key_and_keeps_to_it) {
  EXPECT_EQ(bops({"usage", "keygen"}).code, 0);
  const auto again = bops({"usage", "keygen"});
  EXPECT_EQ(again.code, 125) << "never overwritten";
  const std::string file = directory_ / "usage.jsonl";
  ASSERT_EQ(bops({"run", "--usage", file, "--tenant", "acme", "-o", directory_ / "r.json", "--",
                  "/bin/true"})
                .code,
            0);
  EXPECT_EQ(bops({"usage", "verify", file}).code, 0);
  const auto other = bops(
      {"usage", "keygen", "-o", directory_ / "other.pem", "--trusted", directory_ / "other_keys"});
  EXPECT_EQ(other.code, 0) << other.errors;
  EXPECT_EQ(bops({"usage", "verify", file, "--trusted", directory_ / "other_keys"}).code, 1);
  EXPECT_EQ(bops({"usage", "verify", file, "--trusted", "/no/such/file"}).code, 125);
}

}  // namespace
}  // namespace bops
