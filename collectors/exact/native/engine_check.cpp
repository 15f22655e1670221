#include "collectors/exact/native/engine_check.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

#include "collectors/exact/block_counts.hpp"
#include "collectors/exact/block_profile.hpp"
#include "collectors/exact/native/engine_note.hpp"
#include "platform/file_mapping.hpp"
#include "platform/files.hpp"
#include "platform/programs.hpp"
#include "platform/unique_fd.hpp"

namespace bops::exact {
namespace {

constexpr const char* kEngineName = "bops-native-engine";
constexpr const char* kProgramName = "bops-known-work";
constexpr std::uint64_t kKnownWork = 8 + 4 * 1000 + 1001;  // check/known_work.S
constexpr int kPatienceMs = 10'000;                        // it takes 5 ms; machines may be busy
/// The target table and a thread's counters take 4 GiB, never more than touched (engine/layout.h).
constexpr rlim_t kAddressSpace = rlim_t{8} << 30;
/// Of this much is private memory that may be written.
constexpr rlim_t kData = rlim_t{4} << 30;

/// A directory for a profile, removed with it.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    const char* temporary = std::getenv("TMPDIR");
    for (const char* parent : {"/dev/shm", temporary, "/tmp"}) {
      if (parent == nullptr || *parent != '/') continue;
      path_ = std::string(parent) + "/bops-check-XXXXXX";
      if (::mkdtemp(path_.data()) != nullptr) return;
    }
    path_.clear();
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Result<std::string> find_own_file(const char* name) {
  auto path = find_library_file(name);
  if (!path)
    return failure("the file " + std::string(name) + " is not beside bops",
                   "build or install bops again: cmake --install build/release --prefix DIR");
  return *std::move(path);
}

bool file_reads(const char* path, std::string_view start) {
  const auto text = read_file_whole(path);
  return text && text->starts_with(start);
}

/// What this machine or process is known to withhold that the engine cannot do without.
std::string remedy_here() {
  std::string list;
  const auto add = [&list](const std::string& remedy) {
    list += (list.empty() ? "" : "; ") + remedy;
  };
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    add("lift the limit on address space: ulimit -v unlimited");
  if (file_reads("/proc/sys/vm/overcommit_memory", "2"))
    add("vm.overcommit_memory is 2, so that sparse tables are charged in full: set it to 0 or 1");
  if (file_reads("/sys/fs/selinux/enforce", "1"))
    add("SELinux may forbid to make memory executable: permit execmem, or setenforce 0");
  if (const auto status = read_file_whole("/proc/self/status");
      status && status->find("\nSeccomp:\t2") != std::string::npos)
    add("a seccomp filter is in force: it may forbid system calls that the engine needs");
  if (list.empty()) add("count with --collector qemu");
  return list;
}

struct Outcome {
  std::optional<int> status;  ///< as of wait(2); absent if someone else's handler took it
  std::string errors;         ///< what it wrote to stderr, as far as one pipe takes it
};

std::string first_line(UniqueFd pipe) {
  std::array<char, 512> text{};
  const ssize_t size = ::read(pipe.get(), text.data(), text.size());
  const std::string_view all(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return std::string(all.substr(0, all.find('\n')));
}

/// Runs a command without streams, in an empty environment.
Result<Outcome> run_quietly(std::vector<std::string> words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return failure(std::string("cannot make a pipe: ") + std::strerror(errno));
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::array<char*, 1> environment{};

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_adddup2(&actions, 0, 1);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), 2);
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environment.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return failure(words[0] + " cannot be executed: " + std::strerror(error));
  write_end.reset();

  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd end{process.get(), POLLIN, 0};
  if (process && ::poll(&end, 1, kPatienceMs) == 0) ::kill(pid, SIGKILL);
  int status = 0;
  pid_t waited = 0;
  while ((waited = ::waitpid(pid, &status, 0)) < 0 && errno == EINTR) continue;
  Outcome outcome;
  if (waited == pid) outcome.status = status;
  outcome.errors = first_line(std::move(read_end));
  return outcome;
}

std::string described(int status) {
  if (WIFSIGNALED(status)) return "it died of signal " + std::to_string(WTERMSIG(status));
  return "it ended with status " + std::to_string(WEXITSTATUS(status));
}

tl::unexpected<Error> does_not_work(const std::string& why) {
  return failure("the engine does not work here: " + why, remedy_here());
}

Result<void> check_limit(__rlimit_resource resource, rlim_t needed, const std::string& what,
                         const std::string& option) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur >= needed) return {};
  return failure("the limit on " + what + ", " + std::to_string(limit.rlim_cur >> 20) +
                     " MiB, is too small: the engine reserves " + std::to_string(needed >> 30) +
                     " GiB, of which it uses little",
                 "lift it: ulimit " + option + " unlimited");
}

}  // namespace

Result<std::string> find_engine() {
  return find_own_file(kEngineName);
}

namespace {

struct Files {
  std::string engine;
  std::string program;
};

/// The engine and its known work, if the limits of this process leave it room.
Result<Files> find_files() {
#if !defined(__x86_64__)
  return failure("it translates x86-64 programs only", "");
#endif
  auto engine = find_engine();
  if (!engine) return tl::unexpected(engine.error());
  auto program = find_own_file(kProgramName);
  if (!program) return tl::unexpected(program.error());
  if (auto checked = check_limit(RLIMIT_AS, kAddressSpace, "address space", "-v"); !checked)
    return tl::unexpected(checked.error());
  if (auto checked = check_limit(RLIMIT_DATA, kData, "data", "-d"); !checked)
    return tl::unexpected(checked.error());
  return Files{*std::move(engine), *std::move(program)};
}

/// Counts the program, whose count is known.
Result<void> count_known_work(const Files& files) {
  const ScratchDirectory scratch;
  if (scratch.path().empty())
    return failure("there is no directory for temporary files that can be written to",
                   "set TMPDIR to one");
  const std::string path = scratch.path() + "/" + BOPS_PROFILE_FILE_NAME;
  if (auto created = create_block_profile(path, "native", 0); !created) return created;
  const auto outcome =
      run_quietly({files.engine, path, files.program, files.program, files.program});
  if (!outcome)
    return failure(outcome.error().message, "put bops on a file system that is not mounted noexec");
  if (outcome->status.value_or(0) != 0)
    return does_not_work(described(*outcome->status) +
                         (outcome->errors.empty() ? "" : " (" + outcome->errors + ")"));
  const auto mapping = FileMapping::open(path, FileMapping::Access::kReadOnly);
  if (!mapping) return tl::unexpected(mapping.error());
  const auto profile = read_block_profile(mapping->bytes());
  if (!profile) return tl::unexpected(profile.error());
  const RunCounts counts = BlockCounter("native").count(*profile);
  const std::uint64_t counted = counts.totals().instructions.total;
  if (counted != kKnownWork)
    return does_not_work("it counted " + std::to_string(counted) +
                         " instructions of a program of " + std::to_string(kKnownWork));
  return {};
}

}  // namespace

Result<void> check_engine() {
  const auto files = find_files();
  if (!files) return tl::unexpected(files.error());
  const EngineNote note({files->engine, files->program});
  auto checked = count_known_work(*files);
  if (checked)
    note.write();
  else
    note.remove();
  return checked;
}

Result<void> check_engine_once() {
  const auto files = find_files();
  if (!files) return tl::unexpected(files.error());
  if (EngineNote({files->engine, files->program}).is_there()) return {};
  return check_engine();
}

}  // namespace bops::exact
