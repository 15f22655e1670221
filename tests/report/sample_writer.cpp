// Writes every sample in every format into a directory, for the tests that other programs do.
#include <fstream>
#include <iostream>
#include <string>

#include "report/chip.hpp"
#include "report/doctor.hpp"
#include "report/format.hpp"
#include "report/json.hpp"
#include "sample_doctor.hpp"
#include "sample_records.hpp"
#include "validate/calibration.hpp"

namespace {

bops::Calibration calibration() {
  bops::Calibration calibration;
  calibration.tool_version = "0.1.0";
  calibration.created = "2026-01-02T03:04:05Z";
  calibration.cpu = bops::samples::decoded_run().host.cpu;
  calibration.command = {"./sort", "two words", "\xff"};
  calibration.executable = {"/home/user/sort", "00ff13"};
  calibration.libraries = {{"/usr/lib/libc.so.6", "00ff12"}};
  calibration.exact_collector = "qemu";
  calibration.production_collector = "pmu";
  calibration.runs = 3;
  calibration.fit = {1.25,
                     {0.001, 0.02, 0, 0.0125},
                     {{1e6, 1.2e6}, {4e6, 5e6}},
                     {{0.25, 0.26}, {0.1, 0.1}, {0.15, 0.2}, {0.44, 0.5}},
                     900'000,
                     1'024'000'000};
  return calibration;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: " << argv[0] << " DIRECTORY\n";
    return 2;
  }
  const std::string directory = std::string(argv[1]) + '/';
  bool written = true;
  const auto write = [&directory, &written](const std::string& name, const std::string& text) {
    std::ofstream file(directory + name, std::ios::binary);
    file << text << std::flush;
    written = written && file.good();
  };
  const bops::RenderOptions options{.per_thread = true, .colour = false};
  for (const bops::Format& format : bops::formats()) {
    const std::string suffix(format.suffix);
    write("decoded.run" + suffix, format.render(bops::samples::decoded_run(), options));
    write("hardware.run" + suffix, format.render(bops::samples::hardware_run(), options));
    write("missing.run" + suffix, format.render(bops::samples::missing_run(), options));
    write("gpu.run" + suffix, format.render(bops::samples::gpu_run(), options));
    write("hostile.run" + suffix, format.render(bops::samples::hostile_run(), options));
  }
  bops::IntervalRecord interval = bops::samples::interval();
  write("counted.interval.json", bops::render_json_line(interval));
  interval.quality = bops::Quality::kMissing;
  write("missing.interval.json", bops::render_json_line(interval));
  bops::Calibration calibrated = calibration();
  write("sort.calibration.json", bops::render_json(calibrated));
  calibrated.command.reset();
  write("redacted.calibration.json", bops::render_json(calibrated));
  write("machine.doctor.json", bops::render_doctor_json(bops::samples::doctor_report()));
  write("gh100.chip.json", bops::render_chip_json(bops::samples::chip_report()));
  write("machine.doctor.txt", bops::render_doctor_text(bops::samples::doctor_report(), false));
  return written ? 0 : 1;
}
