// bops run --gpu, from the command line to the record, on the double.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "model/bops.hpp"
#include "report/json.hpp"
#include "tests/cuda/injected_run.hpp"
#include "tests/doubles/cuda/cuda_double.hpp"
#include "tests/doubles/cuda/kernels.hpp"

namespace bops::cuda {
namespace {

using harness::bops_program, harness::run;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

/// The text report, and the record of another run of the same words.
struct Shown {
  std::string text;
  Json record;
};

class GpuRun : public ::testing::Test {
 protected:
  void SetUp() override {
    cuda_double::write_machine(machine_.path());
    use("chip=GH100");
  }
  void use(const std::string& settings) {
    variables_ = cuda_double::environment(settings, machine_.path());
    variables_["BOPS_STATE_DIR"] = state_.path();
  }
  [[nodiscard]] static Words program(const Words& words) {
    Words command{cuda_double::program()};
    command.insert(command.end(), words.begin(), words.end());
    return command;
  }
  [[nodiscard]] harness::Counted count(const Words& words, Words options) const {
    options.insert(options.end(), {"--collector", "native"});
    return harness::count(program(words), options, variables_);
  }
  [[nodiscard]] Shown show(const Words& words, const Words& options) const {
    Words command{bops_program(), "run", "--collector", "native"};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back("--");
    for (const std::string& word : program(words)) command.push_back(word);
    auto shown = run(command, variables_);
    EXPECT_EQ(shown.code, 0);
    return {std::move(shown.errors), count(words, options).record};
  }
  harness::TemporaryDirectory machine_, state_;
  std::map<std::string, std::string> variables_;
};

std::set<std::string> codes_of(const Json& record) {
  std::set<std::string> codes;
  for (const Json& warning : record.at("warnings")) codes.insert(warning.at("code"));
  return codes;
}

std::uint64_t instructions(const Json& row) {
  return row.at("instructions").get<std::uint64_t>();
}

TEST_F(GpuRun, meters_what_auto_finds_and_leaves_the_profiler_out_of_the_cpus_counts) {
  const auto counted =
      count({"context:0", "launch:saxpy:16:256:7", "launch:gemm:8:96:3", "destroy"}, {});
  ASSERT_EQ(counted.ended.code, 0) << counted.ended.errors;
  EXPECT_EQ(counted.ended.output, "done\n");
  const Json& record = counted.record;
  ASSERT_EQ(record.at("gpus").size(), 1U);
  const Json& gpu = record["gpus"][0];
  EXPECT_EQ(gpu.at("mode"), "meter");
  EXPECT_EQ(gpu.at("warp").at("bops_formula"), 7 * 128 * 15 + 3 * 24 * 69);
  EXPECT_TRUE(gpu.at("warp").at("loads").is_null()) << "the meter cannot tell them from stores";
  EXPECT_TRUE(gpu.at("thread").is_null());
  EXPECT_EQ(gpu.at("quality"), "approximate");
  EXPECT_EQ(gpu.at("sets")[0].at("name"), "meter");
  EXPECT_EQ(record.at("quality"), "exact") << "what the CPU executed was counted";
  EXPECT_EQ(record.at("collectors")[1].at("name"), "cuda");
  EXPECT_EQ(record.at("combined").at("bops_formula"),
            record["totals"]["bops_formula"].get<std::int64_t>() + 7 * 128 * 15 + 3 * 24 * 69);

  std::uint64_t images = 0, instruments = 0;
  for (const Json& image : record.at("images")) {
    images += instructions(image);
    EXPECT_EQ(image.at("path").get<std::string>().find("libcupti"), std::string::npos);
    EXPECT_EQ(image.at("path").get<std::string>().find("injection"), std::string::npos);
  }
  for (const Json& image : record.at("instruments")) instruments += instructions(image);
  EXPECT_EQ(images, instructions(record.at("totals")));
  EXPECT_GT(instruments, 0U);
  EXPECT_TRUE(codes_of(record).contains("profiler_in_target"));
  EXPECT_TRUE(from_json(counted.record.dump())) << from_json(counted.record.dump()).error().message;
}

TEST_F(GpuRun, profiles_each_kernel_and_shows_it_in_every_format) {
  const Words words{"context:0", "push:step",           "launch:saxpy:16:256:2",
                    "pop",       "launch:stage:4:33:1", "destroy"};
  for (const char* format : {"json", "text", "csv", "markdown", "html"}) {
    Words command{bops_program(), "run",  "--gpu", "profile",         "--collector", "native",
                  "--format",     format, "-o",    state_ / "report", "--"};
    for (const std::string& word : program(words)) command.push_back(word);
    const auto ended = run(command, variables_);
    ASSERT_EQ(ended.code, 0) << ended.errors;
    const std::string report = harness::read_file(state_ / "report");
    EXPECT_NE(report.find("saxpy"), std::string::npos) << format;
    EXPECT_NE(report.find("stage"), std::string::npos) << format;
    EXPECT_NE(report.find("step"), std::string::npos) << format;
    if (std::string(format) == "json") {
      const Json gpu = Json::parse(report).at("gpus").at(0);
      ASSERT_EQ(gpu.at("kernels").size(), 2U);
      for (const Json& kernel : gpu["kernels"]) {
        const GpuCounts expected =
            expected_counts(Mode::kProfile, kernel.at("name"), kernel["grid"][0],
                            kernel["block"][0], kernel["launches"]);
        EXPECT_EQ(kernel["warp"]["bops_formula"], bops_formula(*expected.warp));
        EXPECT_EQ(kernel["thread"]["bops_formula"], bops_formula(*expected.thread));
        EXPECT_EQ(kernel["duration_ns"], *expected.duration_ns);
      }
      EXPECT_EQ(gpu.at("regions").at(0).at("name"), "step");
    }
    if (std::string(format) == "text") {
      // 256 warps of 20 instructions, 2 loads, 1 store and 1 branch; 8 warps of 31, 3, 5 and 2.
      EXPECT_NE(report.find("4,264"), std::string::npos) << "256 x 16 + 8 x 21\n" << report;
      EXPECT_NE(report.find("leaves in: constant loads"), std::string::npos);
    }
  }
}

TEST_F(GpuRun, counts_ten_kernels_to_the_digit_in_text_and_json) {
  const Words words{"context:0", "launch:saxpy:16:256:7", "launch:gemm:8:96:3", "destroy"};
  const Shown meter = show(words, {"--gpu", "meter"});
  EXPECT_EQ(meter.record.at("gpus")[0]["warp"]["instructions"], 7 * 128 * 20 + 3 * 24 * 97);
  EXPECT_EQ(meter.record["gpus"][0]["warp"]["bops_formula"], 18'408);
  EXPECT_NE(meter.text.find(" 24,904"), std::string::npos) << meter.text;
  EXPECT_NE(meter.text.find(" 18,408"), std::string::npos) << "7 x 128 x 15 + 3 x 24 x 69";
  const Shown profile = show(words, {"--gpu", "profile"});
  EXPECT_EQ(profile.record.at("gpus")[0]["warp"]["bops_formula"], 19'376);
  EXPECT_NE(profile.text.find(" 19,376"), std::string::npos) << "7 x 128 x 16 + 3 x 24 x 70";
  EXPECT_NE(profile.text.find("14,336"), std::string::npos) << "saxpy's share\n" << profile.text;
}

TEST_F(GpuRun, counts_a_hundred_thousand_launches_in_bounded_memory) {
  const auto words = [](int launches) {
    return Words{"context:0", "launch:saxpy:1:32:" + std::to_string(launches), "destroy"};
  };
  const Shown many = show(words(100'000), {"--gpu", "meter"});
  EXPECT_EQ(many.record.at("gpus")[0]["counted"], 100'000);
  EXPECT_EQ(many.record["gpus"][0]["warp"]["instructions"], 2'000'000);
  EXPECT_NE(many.text.find(" 1,500,000"), std::string::npos) << many.text;
  const Shown few = show(words(1'000), {"--gpu", "meter"});
  constexpr std::uint64_t kRoom = 32 << 20;
  const auto resident = [](const Shown& shown) {
    return shown.record.at("rusage").at("max_resident_bytes").get<std::uint64_t>();
  };
  EXPECT_LT(resident(many), resident(few) + kRoom);
}

TEST_F(GpuRun, tells_how_many_of_very_many_launches_were_dropped) {
  use("chip=GH100 room=500");  // of the 512 between two fetches
  const Words words{"context:0", "launch:saxpy:1:32:100000", "destroy"};
  const Shown shown = show(words, {"--gpu", "profile"});
  const Json& gpu = shown.record.at("gpus")[0];
  EXPECT_EQ(gpu.at("launches"), 100'000);
  EXPECT_EQ(gpu.at("dropped"), 100'000 / 512 * 12);
  EXPECT_EQ(gpu.at("counted"), 100'000 - 100'000 / 512 * 12);
  EXPECT_EQ(gpu["warp"]["instructions"], (100'000 - 100'000 / 512 * 12) * 20);
  EXPECT_EQ(gpu.at("quality"), "partial");
  EXPECT_TRUE(codes_of(shown.record).contains("gpu_launches_dropped"));
  EXPECT_NE(shown.text.find("2340 kernels on"), std::string::npos) << shown.text;
}

TEST_F(GpuRun, shows_which_kernels_are_in_a_graph) {
  const Words words{"context:0", "record:saxpy:16:256:2", "record:gemm:8:96:1", "ready", "play:3",
                    "destroy"};
  const auto counted = count(words, {"--gpu", "profile"});
  const Json& kernel = counted.record.at("gpus").at(0).at("kernels").at(0);
  EXPECT_EQ(kernel.at("name"), "[graph]");
  EXPECT_EQ(kernel.at("launches"), 3);
  EXPECT_EQ(kernel.at("graph_kernels"),
            Json::parse(R"([{"name":"gemm","times":1},{"name":"saxpy","times":2}])"));
  EXPECT_TRUE(from_json(counted.record.dump()));
  for (const char* format : {"text", "csv"}) {
    Words command{bops_program(), "run",  "--gpu", "profile",         "--collector", "native",
                  "--format",     format, "-o",    state_ / "report", "--"};
    for (const std::string& word : program(words)) command.push_back(word);
    ASSERT_EQ(run(command, variables_).code, 0);
    const std::string report = harness::read_file(state_ / "report");
    EXPECT_NE(report.find("[graph] of 1 x gemm, 2 x saxpy"), std::string::npos) << report;
  }
}

TEST_F(GpuRun, counts_what_matrix_instructions_compute_if_told_to) {
  const Words words{"context:0", "launch:gemm:8:96:3", "launch:saxpy:16:256:7", "destroy"};
  const auto without = count(words, {"--gpu", "profile"});
  const auto with = count(words, {"--gpu", "profile", "--tensor-operations"});
  const Json& gpu = with.record.at("gpus").at(0);
  const std::uint64_t expected = 3U * 24 * 16 * cuda_double::kTensorOperations;
  for (const Json& row : {gpu, gpu.at("kernels").at(0)}) {
    std::map<std::string, std::uint64_t> operations;
    for (const Json& each : row.at("tensor_operations")) operations[each["kind"]] = each["count"];
    EXPECT_EQ(operations.at("tf32_dst_fp32"), expected);
    EXPECT_EQ(operations.at("int8"), 0U);
  }
  EXPECT_FALSE(codes_of(with.record).contains("gpu_tensor_operations_not_measured"));

  const Json& plain = without.record.at("gpus").at(0);
  EXPECT_TRUE(plain.at("tensor_operations").empty());
  EXPECT_TRUE(codes_of(without.record).contains("gpu_tensor_operations_not_measured"));
  EXPECT_EQ(plain.at("warp"), gpu.at("warp"));
  EXPECT_GT(gpu.at("passes"), plain.at("passes"));

  const auto metered = count(words, {"--gpu", "meter", "--tensor-operations"});
  EXPECT_EQ(metered.ended.code, 125);
  EXPECT_NE(metered.ended.errors.find("--gpu profile"), std::string::npos) << metered.ended.errors;
}

TEST_F(GpuRun, ends_as_the_target_does_and_says_in_one_line_what_was_not_counted) {
  struct Case {
    std::string settings;
    std::string reason;
  };
  for (const auto& [settings, reason] : {
           Case{"fail=cuptiRangeProfilerEnable:35", "restricted to administrators"},
           Case{"holder=Nsight", "CUPTI for Nsight"},
           Case{"fail=cuptiRangeProfilerStart:26", "taken by another tool"},
           Case{"unsupported=confidentialCompute", "confidential computing"},
           Case{"fail=cuptiRangeProfilerDecodeData:999", "CUPTI error 999"},
           Case{"chip=GX999", "does not know the GPU's chip"},
       }) {
    use(settings);
    const auto counted = count({"context:0", "launch:saxpy:16:256:7", "exit:7"}, {});
    EXPECT_EQ(counted.ended.code, 7) << settings;
    std::size_t told = 0;
    for (const Json& warning : counted.record.at("warnings"))
      if (warning.at("code") == "gpu_problem") {
        ++told;
        const std::string message = warning.at("message");
        EXPECT_NE(message.find(reason), std::string::npos) << message;
        EXPECT_EQ(message.find('\n'), std::string::npos);
      }
    EXPECT_EQ(told, 1U) << settings;
    for (const Json& gpu : counted.record.at("gpus")) {
      EXPECT_EQ(gpu.at("quality"), "missing") << settings;
      EXPECT_TRUE(gpu.at("warp").is_null());
      EXPECT_EQ(gpu.at("launches"), 7);
    }
    EXPECT_EQ(counted.record.at("quality"), "exact") << "the CPU's counts are whole";
  }
}

TEST_F(GpuRun, keeps_what_was_fetched_of_a_target_that_was_killed) {
  variables_["BOPS_CUDA_INTERVAL_MS"] = "0";
  const auto counted = count({"context:0", "launch:saxpy:16:256:7", "sync", "signal:9"}, {});
  EXPECT_EQ(counted.ended.signal, SIGKILL);
  ASSERT_EQ(counted.record.at("gpus").size(), 1U);
  EXPECT_EQ(counted.record["gpus"][0]["warp"]["bops_formula"], 7 * 128 * 15);
  EXPECT_EQ(counted.record["gpus"][0]["quality"], "partial");
  EXPECT_TRUE(codes_of(counted.record).contains("gpu_not_flushed"));
}

TEST_F(GpuRun, gives_every_process_of_the_run_to_its_gpu) {
  use("chip=GH100 devices=2");
  const auto counted =
      count({"early:context:1;launch:saxpy:1:32:5", "context:0", "launch:gemm:1:32:2", "destroy"},
            {"--gpu", "meter"});
  ASSERT_EQ(counted.record.at("gpus").size(), 2U);
  EXPECT_EQ(counted.record["gpus"][0]["warp"]["instructions"], 2 * 97);
  EXPECT_EQ(counted.record["gpus"][1]["warp"]["instructions"], 5 * 20);
  std::set<int> pids, gpu_pids;
  for (const Json& process : counted.record.at("processes")) pids.insert(process["pid"].get<int>());
  for (const Json& gpu : counted.record["gpus"])
    for (const Json& pid : gpu["processes"]) gpu_pids.insert(pid.get<int>());
  EXPECT_EQ(pids, gpu_pids);
}

TEST_F(GpuRun, off_puts_nothing_into_the_target) {
  const auto counted = count({"context:0", "launch:saxpy:16:256:7", "destroy"}, {"--gpu", "off"});
  EXPECT_EQ(counted.ended.code, 0);
  EXPECT_TRUE(counted.record.at("gpus").empty());
  EXPECT_FALSE(counted.record.contains("instruments"));
  EXPECT_EQ(counted.record.at("collectors").size(), 1U);
}

TEST_F(GpuRun, strict_takes_the_gpus_quality_for_what_it_is) {
  const auto counted = count({"context:0", "launch:saxpy:16:256:7", "destroy"}, {"--strict"});
  EXPECT_EQ(counted.ended.code, 125);
  EXPECT_NE(counted.ended.errors.find("approximate"), std::string::npos) << counted.ended.errors;
}

TEST_F(GpuRun, says_so_where_no_kernel_ran_that_was_asked_for) {
  const auto asked =
      harness::count({"/bin/true"}, {"--gpu", "meter", "--collector", "native"}, variables_);
  EXPECT_EQ(asked.ended.code, 0);
  EXPECT_TRUE(codes_of(asked.record).contains("gpu_not_used"));
  const auto found = harness::count({"/bin/true"}, {"--collector", "native"}, variables_);
  EXPECT_FALSE(codes_of(found.record).contains("gpu_not_used"));
}

TEST_F(GpuRun, refuses_an_emulated_program) {
  const auto counted =
      harness::count({"/bin/true"}, {"--gpu", "meter", "--collector", "qemu"}, variables_);
  EXPECT_EQ(counted.ended.code, 125);
  if (counted.ended.errors.find("the collector qemu cannot run here") != std::string::npos)
    GTEST_SKIP() << counted.ended.errors;
  EXPECT_NE(counted.ended.errors.find("cannot drive a GPU"), std::string::npos);
}

TEST_F(GpuRun, refuses_before_the_target_starts_where_another_tool_is_to_be_injected) {
  variables_["CUDA_INJECTION64_PATH"] = "/opt/nsight/libToolsInjection64.so";
  const std::string made = state_ / "made";
  const auto asked = run({bops_program(), "run", "--collector", "native", "--gpu", "profile", "--",
                          "/usr/bin/touch", made},
                         variables_);
  EXPECT_EQ(asked.code, 125);
  EXPECT_NE(asked.errors.find("libToolsInjection64.so"), std::string::npos) << asked.errors;
  EXPECT_FALSE(std::filesystem::exists(made));
  const auto found =
      harness::count({"/usr/bin/touch", made}, {"--collector", "native"}, variables_);
  EXPECT_EQ(found.ended.code, 0);
  EXPECT_TRUE(codes_of(found.record).contains("gpu_not_counted")) << "auto goes on, and says so";
}

TEST_F(GpuRun, refuses_a_driver_that_is_too_old) {
  use("chip=GH100 cuda=12040");
  const auto ended =
      run({bops_program(), "run", "--gpu", "meter", "--collector", "native", "--", "/bin/true"},
          variables_);
  EXPECT_EQ(ended.code, 125);
  EXPECT_NE(ended.errors.find("supports CUDA 12.4"), std::string::npos) << ended.errors;
}

TEST_F(GpuRun, is_recovered_after_bops_died) {
  // The launches are over when the file appears; then the program waits for what will kill it.
  variables_["BOPS_CUDA_INTERVAL_MS"] = "0";
  Words command{bops_program(), "run", "--collector", "native", "-o", state_ / "lost.json", "--"};
  for (const std::string& word :
       program({"context:0", "launch:saxpy:16:256:7", "sync", "signal:19"}))
    command.push_back(word);
  harness::Subprocess bops(command, variables_);
  // What the child has fetched is whole as soon as seven rows are in its file.
  std::string directory;
  const auto fetched = [&] {
    std::error_code error;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(state_.path(), error)) {
      if (entry.path().extension() != ".gpu") continue;
      const auto file = read_wire(harness::read_file(entry.path().string()));
      if (!file || file->counts.size() < 7) continue;
      directory = entry.path().parent_path().parent_path().filename().string();
      ::kill(bops.pid(), SIGKILL);  // before its target, which is stopped
      ::kill(file->pid, SIGKILL);
      return true;
    }
    return false;
  };
  while (!fetched()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(bops.wait().signal, SIGKILL);
  const std::string path = state_ / "recovered.json";
  const auto recovered = run({bops_program(), "recover", directory, "-o", path}, variables_);
  ASSERT_EQ(recovered.code, 0) << recovered.errors;
  const Json record = Json::parse(harness::read_file(path));
  ASSERT_EQ(record.at("gpus").size(), 1U);
  EXPECT_EQ(record["gpus"][0]["warp"]["bops_formula"], 7 * 128 * 15);
  EXPECT_TRUE(record.contains("instruments"));
}

/// Every number of a row, by its place in it; levels and kinds are places of their own.
void add_numbers(const Json& row, const std::string& place, std::map<std::string, Json>& sums) {
  if (row.is_object() && row.contains("kind")) {
    add_numbers(row.at("count"), place + '/' + row.at("kind").get<std::string>(), sums);
  } else if (row.is_structured()) {
    for (const auto& [key, value] : row.items())
      add_numbers(value, row.is_array() ? place : place + '/' + key, sums);
  } else if (row.is_number()) {
    Json& sum = sums[place];
    sum = (sum.is_null() ? 0 : sum.get<std::int64_t>()) + row.get<std::int64_t>();
  }
}

TEST_F(GpuRun, gives_each_interval_what_the_gpus_did_in_it) {
  use("chip=GH100 devices=2");
  variables_["BOPS_CUDA_INTERVAL_MS"] = "0";
  for (const char* mode : {"meter", "profile"}) {
    const harness::TemporaryDirectory directory;
    const std::string path = directory / "intervals";
    Words command{bops_program(), "run",  "--collector", "native", "--gpu", mode,
                  "--interval",   "20ms", "-o",          path,     "--"};
    for (const std::string& word :
         program({"context:0", "launch:saxpy:16:256:7", "sync", "wait:" + directory / "second",
                  "context:1", "launch:gemm:8:96:3", "sync", "launch:stage:1:32:1", "sync",
                  "wait:" + directory / "third", "launch:saxpy:1:32:5", "destroy", "destroy"}))
      command.push_back(word);
    harness::Subprocess bops(command, variables_);
    // The program goes on when an interval has told of what it launched: seven, then eleven.
    const auto told = [&path](std::uint64_t wanted) {
      std::istringstream lines(harness::read_file(path));
      std::uint64_t counted = 0;
      for (std::string line; std::getline(lines, line) && !lines.eof();) {
        const Json interval = Json::parse(line);
        for (const Json& gpu : interval.at("gpus"))
          counted += gpu.at("counted").get<std::uint64_t>();
      }
      return counted >= wanted;
    };
    while (!told(7)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::ofstream(directory / "second").flush();
    while (!told(11)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::ofstream(directory / "third").flush();
    const auto ended = bops.wait();
    ASSERT_EQ(ended.code, 0) << ended.errors;

    std::vector<Json> lines;
    std::istringstream stream(harness::read_file(path));
    for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
    const Json record = lines.back();
    lines.pop_back();
    ASSERT_EQ(record.at("gpus").size(), 2U);
    std::map<std::string, Json> sums, expected;
    std::size_t with_gpus = 0;
    for (Json& line : lines) {
      EXPECT_EQ(line.at("schema"), "bops.interval.v1");
      with_gpus += line.at("gpus").empty() ? 0 : 1;
      for (Json& gpu : line.at("gpus")) {
        EXPECT_EQ(gpu.at("quality"), "approximate");
        gpu.erase("index");
        add_numbers(gpu, gpu.at("uuid"), sums);
      }
    }
    EXPECT_GE(with_gpus, 3U) << "one for each of the program's three parts at least";
    EXPECT_FALSE(lines.front().contains("sets"));
    for (Json gpu : record.at("gpus")) {
      for (const char* other : {"index", "passes", "processes", "sets", "kernels", "regions"})
        gpu.erase(other);
      add_numbers(gpu, gpu.at("uuid"), expected);
    }
    EXPECT_EQ(sums, expected) << mode;
    const std::string first = record["gpus"][0]["uuid"], second = record["gpus"][1]["uuid"];
    EXPECT_EQ(sums.at(first + "/warp/instructions"), 7 * 128 * 20);
    EXPECT_EQ(sums.at(second + "/warp/instructions"), 3 * 24 * 97 + 31 + 5 * 20);
    EXPECT_EQ(sums.at(second + "/launches"), 9);
  }
}

TEST_F(GpuRun, gives_the_last_interval_what_came_after_the_one_before) {
  // Nothing is fetched before the end, and no interval ends before it but the last.
  const std::string path = state_ / "intervals";
  Words command{bops_program(), "run", "--collector", "native", "--interval",
                "1h",           "-o",  path,          "--"};
  for (const std::string& word : program({"context:0", "launch:saxpy:16:256:7", "exit:3"}))
    command.push_back(word);
  const auto ended = run(command, variables_);
  EXPECT_EQ(ended.code, 3) << ended.errors;
  std::istringstream stream(harness::read_file(path));
  std::string interval, record, none;
  std::getline(stream, interval);
  std::getline(stream, record);
  EXPECT_FALSE(std::getline(stream, none)) << none;
  const Json gpus = Json::parse(interval).at("gpus");
  ASSERT_EQ(gpus.size(), 1U);
  EXPECT_EQ(gpus[0].at("warp"), Json::parse(record).at("gpus").at(0).at("warp"));
  EXPECT_EQ(gpus[0]["warp"]["bops_formula"], 7 * 128 * 15);
}

TEST_F(GpuRun, fetches_as_often_as_intervals_are_shown) {
  const auto plan_with = [this](const Words& options) {
    const Words shell{"/bin/sh", "-c", "cat \"$BOPS_CUDA_PLAN\""};
    Words command{bops_program(), "run",   "--collector", "native",
                  "--gpu",        "meter", "-o",          state_ / "report.json"};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back("--");
    command.insert(command.end(), shell.begin(), shell.end());
    return run(command, variables_).output;
  };
  EXPECT_NE(plan_with({"--interval", "250ms"}).find("\ninterval_ms 250\n"), std::string::npos);
  EXPECT_NE(plan_with({"--interval", "1us"}).find("\ninterval_ms 1\n"), std::string::npos);
  EXPECT_NE(plan_with({"--interval", "1m"}).find("\ninterval_ms 1000\n"), std::string::npos);
  EXPECT_NE(plan_with({}).find("\ninterval_ms 1000\n"), std::string::npos);
}

TEST_F(GpuRun, doctor_tells_of_the_gpu_and_of_what_is_in_the_way) {
  cuda_double::write_machine(machine_.path(), "RmProfilingAdminOnly: 1\n");
  const auto ended = run({bops_program(), "doctor", "--json"}, variables_);
  bool found = false;
  const Json report = Json::parse(ended.output);
  for (const Json& collector : report.at("collectors")) {
    if (collector.at("name") != "cuda") continue;
    found = true;
    const bool root = ::geteuid() == 0;
    EXPECT_EQ(collector.at("usable"), root);
    const std::string text = collector.dump();
    EXPECT_NE(text.find("NVreg_RestrictProfilingToAdminUsers=0"), std::string::npos) << text;
    if (root) {
      EXPECT_NE(text.find("580.65.06"), std::string::npos) << text;
    }
  }
  EXPECT_TRUE(found);
}

TEST_F(GpuRun, validate_fails_where_the_counts_are_not_the_sources) {
  // The double computes nothing, and knows none of these kernels.
  const auto ended = run({bops_program(), "validate", "--gpu"}, variables_);
  if (ended.errors.find("no kernels for GPUs") != std::string::npos) GTEST_SKIP() << ended.errors;
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.output.find("only_sts"), std::string::npos) << ended.output << ended.errors;
  EXPECT_EQ(ended.output.find("holds"), std::string::npos) << ended.output;
}

}  // namespace
}  // namespace bops::cuda
