#include "tests/validation/calibrated_prediction.hpp"

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::run;

Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::array<int, 4> sizes_of(const std::string& kernel) {
  if (kernel == "matmul") return {16, 32, 64, 256};
  if (kernel == "matmul_blocked") return {32, 64, 128, 512};
  return {1000, 4000, 16'000, 64 * 16'000};
}

}  // namespace

Prediction predict(const std::vector<Words>& small, const Words& large) {
  const harness::TemporaryDirectory directory;
  const std::string calibration = directory / "calibration.json";
  std::ofstream more(directory / "more");
  for (std::size_t command = 1; command < small.size(); ++command) {
    for (const std::string& word : small[command]) more << '\'' << word << "' ";
    more << '\n';
  }
  more.close();
  Prediction prediction;
  const auto calibrated = run(joined({bops_program(), "calibrate", "--collector", "native", "-o",
                                      calibration, "--vary", directory / "more", "--"},
                                     small.front()));
  if (calibrated.code != 0) {
    prediction.failure = calibrated.errors;
    return prediction;
  }
  const auto counted =
      harness::count(large, {"--collector", "native", "--calibration", calibration});
  prediction.record = counted.record;
  if (counted.record.is_null() || !counted.record.contains("calibrated")) {
    prediction.failure = "no estimate: " + counted.ended.errors;
    return prediction;
  }
  const auto& estimate = counted.record.at("calibrated");
  prediction.stated = estimate.at("relative_error").get<double>();
  prediction.actual =
      std::abs(counted.record.at("totals").at("operations").at("total").get<double>() /
                   estimate.at("operations_estimate").get<double>() -
               1);
  return prediction;
}

std::string workload(const std::string& build) {
  const std::string path = std::string(BOPS_WORKLOADS) + "/bops-workload-" + build;
  return std::filesystem::exists(path) ? path : "";
}

Prediction predict_kernel(const std::string& build, const std::string& kernel) {
  const auto command = [&](int size) {
    return Words{workload(build), kernel, "--size", std::to_string(size)};
  };
  const auto sizes = sizes_of(kernel);
  return predict({command(sizes[0]), command(sizes[1]), command(sizes[2])}, command(sizes[3]));
}

void write_text(const std::string& path, std::size_t size) {
  std::mt19937 random(1);  // NOLINT(bugprone-random-generator-seed): the same in every run
  std::vector<std::string> words(2000);
  for (std::string& word : words)
    for (std::size_t letters = 2 + random() % 9; letters > 0; --letters)
      word += static_cast<char>('a' + random() % 26);
  std::string text;
  while (text.size() < size)
    text += words[random() % (1 + random() % words.size())] + (random() % 12 == 0 ? ".\n" : " ");
  std::ofstream(path, std::ios::binary) << text.substr(0, size);
}

}  // namespace bops
