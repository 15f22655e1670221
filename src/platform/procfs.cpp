#include "platform/procfs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <filesystem>
#include <memory>
#include <system_error>

#include "platform/files.hpp"
#include "platform/unique_fd.hpp"

namespace bops {
namespace {

std::string proc_path(pid_t pid, std::string_view entry) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(entry);
}

/// The next word of `text`, cut off from it; empty at its end.
std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \n"));
  text.remove_prefix(word.size());
  return word;
}

template <class Number>
bool parse_number(std::string_view word, Number& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc{} && end == word.data() + word.size() && !word.empty();
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view content) {
  constexpr int kStateField = 3;
  constexpr int kParentField = 4;
  constexpr int kThreadsField = 20;
  constexpr int kStartField = 22;
  constexpr int kStatusField = 52;
  const std::size_t name_end = content.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  std::string_view rest = content.substr(name_end + 1);
  ProcessStat stat;
  for (int field = kStateField; field <= kStartField; ++field) {
    const std::string_view word = next_word(rest);
    bool good = !word.empty();
    if (field == kStateField && good) {
      good = word.size() == 1;
      stat.state = word.front();
    }
    if (field == kParentField) good = parse_number(word, stat.ppid);
    if (field == kThreadsField) good = parse_number(word, stat.threads);
    if (field == kStartField) good = parse_number(word, stat.start_ticks);
    if (!good) return std::nullopt;
  }
  // Old kernels have fewer fields.
  for (int field = kStartField + 1; field < kStatusField; ++field) next_word(rest);
  if (!parse_number(next_word(rest), stat.stop_code)) stat.stop_code = 0;
  return stat;
}

Result<ProcessStat> read_process_stat(pid_t pid) {
  const auto content = read_file_whole(proc_path(pid, "stat"));
  if (!content) return tl::unexpected(content.error());
  if (const auto stat = parse_process_stat(*content)) return *stat;
  return failure("cannot make sense of " + proc_path(pid, "stat"));
}

bool proc_is_of_own_namespace() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self", error);
  return error || self == std::to_string(::getpid());
}

bool has_ended(pid_t tid) {
  if (const auto stat = read_process_stat(tid)) return stat->state == 'Z' || stat->state == 'X';
  // Not read: perhaps for want of descriptors.
  return ::kill(tid, 0) != 0 && errno == ESRCH;
}

Result<std::string> read_comm(pid_t pid, pid_t tid) {
  const std::string path = proc_path(pid, "task/" + std::to_string(tid) + "/comm");
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 64> name{};
  // The kernel gives all of it at once: asked of each thread of a run, this has no call to spare.
  const ssize_t length = file ? ::read(file.get(), name.data(), name.size()) : -1;
  if (length < 0)
    return failure("cannot read " + path + ": " + std::generic_category().message(errno));
  std::string comm(name.data(), static_cast<std::size_t>(length));
  // One newline is the kernel's; any other is part of the name.
  if (comm.ends_with('\n')) comm.pop_back();
  return comm;
}

Result<std::string> read_executable(pid_t pid) {
  const std::string link = proc_path(pid, "exe");
  std::array<char, PATH_MAX> buffer;
  const ssize_t length = ::readlink(link.c_str(), buffer.data(), buffer.size());
  if (length < 0)
    return failure("cannot read " + link + ": " + std::generic_category().message(errno));
  return std::string(buffer.data(), static_cast<std::size_t>(length));
}

bool is_alive(pid_t pid, std::uint64_t start_ticks) {
  const auto stat = read_process_stat(pid);
  if (!stat || stat->start_ticks != start_ticks || stat->state == 'X') return false;
  // A first thread that has ended is a zombie while the other threads of its process go on.
  return stat->state != 'Z' || stat->threads > 1;
}

std::vector<std::string> read_command_line(pid_t pid) {
  const auto content = read_file_whole(proc_path(pid, "cmdline"));
  std::vector<std::string> words;
  for (std::size_t at = 0; content && at < content->size();) {
    const std::size_t end = std::min(content->find('\0', at), content->size());
    words.push_back(content->substr(at, end - at));
    at = end + 1;
  }
  return words;
}

std::vector<pid_t> read_threads(pid_t pid) {
  std::vector<pid_t> threads;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(proc_path(pid, "task").c_str()),
                                                      ::closedir);
  if (!directory) return threads;
  while (const dirent* entry = ::readdir(directory.get()))
    if (pid_t tid = 0; parse_number(std::string_view(entry->d_name), tid)) threads.push_back(tid);
  return threads;
}

std::optional<pid_t> read_process_of_thread(pid_t tid) {
  const auto number = read_status_number(proc_path(tid, "status"), "Tgid");
  if (!number) return std::nullopt;
  return static_cast<pid_t>(*number);
}

std::optional<std::int64_t> read_status_number(const std::string& path, std::string_view field) {
  const auto content = read_file_whole(path);
  if (!content) return std::nullopt;
  const std::string label = "\n" + std::string(field) + ":";
  const std::size_t at = ("\n" + *content).find(label);
  if (at == std::string::npos) return std::nullopt;
  std::string_view rest = std::string_view(*content).substr(at + label.size() - 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc{} || end == rest.data()) return std::nullopt;
  return number;
}

std::vector<pid_t> read_children(pid_t pid) {
  std::vector<pid_t> children;
  const std::string tasks = proc_path(pid, "task");
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(tasks.c_str()), ::closedir);
  if (!directory) return children;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    const auto content = read_file_whole(tasks + "/" + entry->d_name + "/children");
    if (!content) continue;
    std::string_view rest = *content;
    for (auto word = next_word(rest); !word.empty(); word = next_word(rest))
      if (pid_t child = 0; parse_number(word, child)) children.push_back(child);
  }
  return children;
}

}  // namespace bops
