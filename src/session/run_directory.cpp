#include "session/run_directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "platform/clock.hpp"
#include "platform/files.hpp"
#include "platform/state_directory.hpp"

namespace bops {
namespace {

constexpr const char* kManifestName = "manifest.json";
constexpr const char* kManifestSchema = "bops.manifest.v1";

std::string system_error() {
  return std::strerror(errno);
}

/// "20260131T235959Z": sorts by time.
std::string time_stamp() {
  std::string text = rfc3339_utc(std::chrono::system_clock::now()).substr(0, 19);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

}  // namespace

Result<OwnedRunDirectory> OwnedRunDirectory::create() {
  const auto state = state_directory();
  if (!state) return tl::unexpected(state.error());
  const std::string base = *state + "/" + time_stamp() + "-" + std::to_string(::getpid());
  for (int attempt = 0;; ++attempt) {
    const std::string path = attempt == 0 ? base : base + "-" + std::to_string(attempt);
    if (::mkdir(path.c_str(), 0700) == 0) return OwnedRunDirectory({path, mono_ns()});
    if (errno != EEXIST)
      return failure("cannot make the directory " + path + ": " + system_error(),
                     "set BOPS_STATE_DIR to a directory with free space");
  }
}

OwnedRunDirectory::OwnedRunDirectory(OwnedRunDirectory&& other) noexcept
    : directory_(std::move(other.directory_)), owned_(std::exchange(other.owned_, false)) {}

OwnedRunDirectory::~OwnedRunDirectory() {
  if (owned_) remove_run(directory_.path);
}

std::string OwnedRunDirectory::name() const {
  return std::filesystem::path(directory_.path).filename().string();
}

void remove_run(const std::string& directory_path) {
  std::error_code ignored;  // what cannot be removed is listed by `bops recover` again
  std::filesystem::remove_all(directory_path, ignored);
}

Result<void> write_manifest(const RunDirectory& directory, const RunManifest& manifest) {
  nlohmann::json json = {{"schema", kManifestSchema},
                         {"started", manifest.started},
                         {"start_mono_ns", manifest.start_mono_ns},
                         {"collector", manifest.collector},
                         {"gpu_collector", manifest.gpu_collector},
                         {"labels", nlohmann::json::object()},
                         {"bops_pid", manifest.bops_pid},
                         {"bops_start_ticks", manifest.bops_start_ticks}};
  // Words and labels may hold any bytes, which JSON strings do not.
  const auto bytes = [](const std::string& text) {
    return std::vector<std::uint8_t>(text.begin(), text.end());
  };
  json["command"] = nullptr;
  if (manifest.command) {
    json["command"] = nlohmann::json::array();
    for (const std::string& word : *manifest.command) json["command"].push_back(bytes(word));
  }
  json["labels"] = nlohmann::json::array();
  for (const auto& [key, value] : manifest.labels)
    json["labels"].push_back({bytes(key), bytes(value)});
  return write_file_whole(directory.path + "/" + kManifestName, json.dump(), 0600);
}

Result<RunManifest> read_manifest(const std::string& directory_path) {
  const std::string path = directory_path + "/" + kManifestName;
  const auto text = read_file_whole(path);
  if (!text) return tl::unexpected(text.error());
  try {
    const auto json = nlohmann::json::parse(*text);
    const auto string = [](const nlohmann::json& bytes) {
      const auto values = bytes.get<std::vector<std::uint8_t>>();
      return std::string(values.begin(), values.end());
    };
    RunManifest manifest;
    if (json.at("schema") != kManifestSchema)
      return failure(path + " is not a " + kManifestSchema + " document");
    manifest.started = json.at("started").get<std::string>();
    manifest.start_mono_ns = json.at("start_mono_ns").get<std::uint64_t>();
    manifest.collector = json.at("collector").get<std::string>();
    manifest.gpu_collector = json.value("gpu_collector", "");
    if (!json.at("command").is_null()) {
      manifest.command.emplace();
      for (const auto& word : json.at("command")) manifest.command->push_back(string(word));
    }
    for (const auto& label : json.at("labels"))
      manifest.labels.emplace(string(label.at(0)), string(label.at(1)));
    manifest.bops_pid = json.at("bops_pid").get<pid_t>();
    manifest.bops_start_ticks = json.at("bops_start_ticks").get<std::uint64_t>();
    return manifest;
  } catch (const nlohmann::json::exception& error) {
    return failure(path + " is damaged: " + error.what());
  }
}

Result<std::vector<std::string>> list_runs() {
  const auto state = state_directory();
  if (!state) return tl::unexpected(state.error());
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(*state, error))
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace bops
