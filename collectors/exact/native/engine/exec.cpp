#include "collectors/exact/native/engine/exec.hpp"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "collectors/exact/native/engine/guest_files.hpp"
#include "collectors/exact/native/engine/loader.hpp"
#include "collectors/exact/native/engine/text.hpp"

extern "C" {
#include "collectors/exact/program_file.h"
}

namespace bops::native {
namespace {

/// execve and execveat alike.
struct Request {
  Word directory, path, arguments, environment, flags;
};

/// The file that the guest asks for.
struct Target {
  char path[kPathMax + 64];     ///< by which it can be looked at now
  char execfn[kPathMax + 64];   ///< what AT_EXECFN shall name
  char profile[kPathMax + 64];  ///< the engine's word for it, with the guest's signal mask
  KernelMask mask;
  bool by_descriptor;  ///< `path` leads through /proc/self/fd
  bool is_own;         ///< the guest names itself
};

Request read_request(std::int64_t number, const Word arguments[6]) {
  if (number == __NR_execveat)
    return {arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]};
  return {static_cast<Word>(AT_FDCWD), arguments[0], arguments[1], arguments[2], 0};
}

/// The kernel would refuse a script that its interpreter cannot open once the descriptor is closed.
bool closes_on_exec(int descriptor) {
  const auto flags = kernel_call(__NR_fcntl, static_cast<Word>(descriptor), F_GETFD);
  return !failed(flags) && (flags & FD_CLOEXEC) != 0;
}

bool is_link(const Request& request) {
  struct stat status {};
  return kernel_call(__NR_newfstatat, request.directory, request.path, word(&status),
                     AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISLNK(status.st_mode);
}

/// False if the kernel refuses the request, or does something else than to execute.
bool find_target(const Request& request, Target& target) {
  constexpr Word kKnownFlags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
  if ((request.flags & ~kKnownFlags) != 0) return false;
  char given[kPathMax];
  if (!read_guest_string(request.path, given, sizeof given)) return false;
  if (given[0] == '\0' && (request.flags & AT_EMPTY_PATH) == 0) return false;
  if (given[0] != '\0' && (request.flags & AT_SYMLINK_NOFOLLOW) != 0 && is_link(request))
    return false;
  target.is_own = is_own_program(given);
  const auto directory = static_cast<int>(request.directory);
  target.by_descriptor = given[0] != '/' && directory != AT_FDCWD;
  Text path(target.path, sizeof target.path), execfn(target.execfn, sizeof target.execfn);
  if (!target.by_descriptor) {
    path << (target.is_own ? engine.paths.program : given);
    execfn << given;
    return true;
  }
  if (directory < 0) return false;
  const char* const slash = given[0] == '\0' ? "" : "/";
  path << "/proc/self/fd/" << static_cast<Word>(directory) << slash << given;
  execfn << "/dev/fd/" << static_cast<Word>(directory) << slash << given;
  return true;
}

/// Length of the guest's null-terminated vector; -1 if it is unreadable.
std::int64_t vector_length(Word address) {
  if (address == 0) return 0;
  constexpr std::int64_t kMost = 1 << 26;  // more do not fit the kernel's limits
  for (std::int64_t n = 0; n < kMost; ++n) {
    Word pointer = 0;
    if (!read_guest(address + static_cast<Word>(n) * sizeof pointer, pointer)) return -1;
    if (pointer == 0) return n;
  }
  return -1;
}

// ---- room for long argument vectors ----

/// Never given back: the child of a vfork leaves it to its parent when execve succeeds. Who comes
/// with the same stack frame as its user, or a user that is done, takes it over.
struct Room {
  Room* next;
  Word user;  ///< address in the user's stack frame; 0: none
  Word words;
};
Room* rooms;

Word* words_of(Room* room) {
  return reinterpret_cast<Word*>(room + 1);
}

Room* take_room(Word words, Word user) {
  const Guard guard(engine.lock);
  for (Room* room = rooms; room; room = room->next) {
    if ((room->user != 0 && room->user != user) || room->words < words) continue;
    room->user = user;
    return room;
  }
  Word size = sizeof(Room) + words * sizeof(Word);
  size = (size + kPageSize - 1) & ~(kPageSize - 1);
  const auto start = kernel_call(__NR_mmap, 0, size, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, static_cast<Word>(-1), 0);
  if (failed(start)) return nullptr;
  protect_engine_range(static_cast<Word>(start), static_cast<Word>(start) + size);
  auto* const room = reinterpret_cast<Room*>(start);
  *room = {rooms, user, (size - sizeof(Room)) / sizeof(Word)};
  rooms = room;
  return room;
}

void leave_room(Room* room) {
  const Guard guard(engine.lock);
  room->user = 0;
}

// ---- the engine's command line ----

/// "ENGINE mask=HEX:PROFILE EXECFN PROGRAM ARGV0 ARGS...", null-terminated. The guest's strings
/// stay where they are: execve itself reads them, and says EFAULT.
void write_words(Word* words, const Target& target, const char* program, program_file& file,
                 Word arguments, std::int64_t count) {
  *words++ = word(engine.paths.engine);
  *words++ = word(target.profile);
  *words++ = word(target.execfn);
  *words++ = word(program);
  for (int i = 0; i < file.prefix_count; ++i) {
    // The script's name to its interpreter.
    const bool is_target = is_same_text(file.prefix[i], target.path);
    *words++ = word(is_target ? target.execfn : file.prefix[i]);
  }
  if (file.prefix_count == 0 && count == 0) *words++ = word("");  // as Linux does since 5.18
  for (std::int64_t i = file.prefix_count > 0 ? 1 : 0; i < count; ++i) {
    Word pointer = 0;
    read_guest(arguments + static_cast<Word>(i) * sizeof pointer, pointer);
    *words++ = pointer;
  }
  *words = 0;
}

/// A file of this name must not be taken for a descriptor; see loader.hpp.
void spell_as_path(char path[PATH_MAX]) {
  const std::size_t size = std::strlen(path) + 1;
  if (!after_prefix(path, "fd:") || size + 2 > PATH_MAX) return;
  std::memmove(path + 2, path, size);
  path[0] = '.';
  path[1] = '/';
}

/// Executes the engine. Returns only if that fails.
std::int64_t execute_engine(const Request& request, const Target& target, const char* program,
                            program_file& file) {
  const std::int64_t count = vector_length(request.arguments);
  if (count < 0) return -EFAULT;
  constexpr Word kFewWords = 256;
  Word few[kFewWords];
  const Word needed =
      static_cast<Word>(count) + static_cast<Word>(file.prefix_count) + kGuestWords + 2;
  Room* const room = needed <= kFewWords ? nullptr : take_room(needed, word(&few));
  if (!room && needed > kFewWords) return -ENOMEM;
  Word* const words = room ? words_of(room) : few;
  write_words(words, target, program, file, request.arguments, count);
  const std::int64_t result =
      kernel_call(__NR_execve, word(engine.paths.engine), word(words), request.environment);
  if (room) leave_room(room);
  return result;
}

/// Files that a descriptor names may be nameless, or closed by then: the engine gets one of its
/// own.
std::int64_t execute_descriptor(const Request& request, const Target& target, program_file& file) {
  const auto descriptor = kernel_call(__NR_open, word(target.path), O_RDONLY);
  if (failed(descriptor)) return descriptor;
  char program[32];
  Text(program, sizeof program) << "fd:" << static_cast<Word>(descriptor);
  const std::int64_t result = execute_engine(request, target, program, file);
  kernel_call(__NR_close, static_cast<Word>(descriptor));
  return result;
}

// ---- without the engine ----

KernelMask set_mask(KernelMask mask) {
  constexpr Word kSetMask = 2;
  KernelMask before = 0;
  kernel_call(__NR_rt_sigprocmask, kSetMask, word(&mask), word(&before), sizeof mask);
  return before;
}

/// As the guest asked, but for its own name, which would be the engine's.
std::int64_t execute_natively(std::int64_t number, const Word arguments[6], const Target& target) {
  const bool has_directory = number == __NR_execveat;
  const KernelMask before = set_mask(target.mask);
  const std::int64_t result =
      target.is_own ? kernel_call(__NR_execve, word(target.path), arguments[has_directory ? 2 : 1],
                                  arguments[has_directory ? 3 : 2])
                    : kernel_call(number, arguments[0], arguments[1], arguments[2], arguments[3],
                                  arguments[4]);
  set_mask(before);
  return result;
}

std::int64_t execute_uncounted(std::int64_t number, const Word arguments[6], const Target& target,
                               const char* reason) {
  char name[kPathMax];
  const auto size = target.by_descriptor
                        ? kernel_call(__NR_readlink, word(target.path), word(name), sizeof name - 1)
                        : 0;
  name[size > 0 ? size : 0] = '\0';
  bops_profile_uncounted* record = nullptr;
  {
    const Guard guard(engine.lock);
    record = profile_writer_add_uncounted(
        &engine.writer, static_cast<pid_t>(kernel_call(__NR_getpid)),
        static_cast<pid_t>(kernel_call(__NR_getppid)), size > 0 ? name : target.path, reason);
  }
  const std::int64_t result = execute_natively(number, arguments, target);
  if (record) __atomic_store_n(&record->cancelled, 1, __ATOMIC_RELEASE);
  return result;
}

/// From where this process stands: its root directory, its user, its limits.
bool is_engine_reachable() {
  const auto profile =
      kernel_call(__NR_open, word(engine.paths.profile), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (failed(profile)) return false;
  kernel_call(__NR_close, static_cast<Word>(profile));
  return faccessat(AT_FDCWD, engine.paths.engine, X_OK, AT_EACCESS) == 0;
}

bool is_limit_below(Word resource, Word needed) {
  struct {
    Word now, most;
  } limit = {};
  return kernel_call(__NR_prlimit64, 0, resource, 0, word(&limit)) == 0 && limit.now < needed;
}

}  // namespace

const char* engine_cannot_run() {
  // Sparse memory: the target table and counters of a thread, the cache and what describes it.
  constexpr Word kGiB = Word{1} << 30, kAddressSpace = 8 * kGiB, kData = 4 * kGiB;
  constexpr Word kTargetTable = 4 * kGiB;
  if (engine.filter_forbids_start) return engine.filter_forbids_start;
  if (is_limit_below(RLIMIT_AS, engine.writer.header->capacity + kAddressSpace))
    return "its limit on address space (ulimit -v) is too small for the engine";
  if (is_limit_below(RLIMIT_DATA, kData))
    return "its limit on data (ulimit -d) is too small for the engine";
  if (is_limit_below(RLIMIT_FSIZE, kTargetTable))
    return "its limit on the size of files (ulimit -f) is too small for the engine";
  return nullptr;
}

std::int64_t execute_program(std::int64_t number, const Word arguments[6], KernelMask mask) {
  const Request request = read_request(number, arguments);
  Target target{};
  target.mask = mask;
  Text profile(target.profile, sizeof target.profile);
  (profile << "mask=").hexadecimal(mask) << ":" << engine.paths.profile;
  if (!find_target(request, target)) {
    target.is_own = false;
    return execute_natively(number, arguments, target);
  }
  program_file file;
  program_file_resolve(&file, target.path);
  const bool is_script = file.prefix_count > 0;
  if (file.kind == PROGRAM_INVALID ||
      (is_script && target.by_descriptor && closes_on_exec(static_cast<int>(request.directory))))
    return execute_natively(number, arguments, target);
  const char* reason = file.kind == PROGRAM_COUNTABLE ? engine_cannot_run() : file.reason;
  if (!reason && !is_engine_reachable())
    reason =
        "the engine or the profile cannot be reached from where it runs (another root "
        "directory, another user, no descriptor left)";
  if (reason) return execute_uncounted(number, arguments, target, reason);
  spell_as_path(file.path);
  const std::int64_t result = target.by_descriptor && !is_script
                                  ? execute_descriptor(request, target, file)
                                  : execute_engine(request, target, file.path, file);
  return execute_uncounted(number, arguments, target,
                           result == -E2BIG ? "its arguments leave no room for the engine's"
                                            : "the engine could not be executed in its place");
}

}  // namespace bops::native
