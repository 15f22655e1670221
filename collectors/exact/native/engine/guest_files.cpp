#include "collectors/exact/native/engine/guest_files.hpp"

#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "collectors/exact/native/engine/text.hpp"

namespace bops::native {
namespace {

constexpr std::size_t kLongestName = 64;  // of a link in /proc

/// Where each call has its path, and what makes it one about the link itself.
struct FileCall {
  std::int64_t number;
  unsigned path;
  unsigned flags;  ///< index of the argument, 0: the call has none
  Word about_link;
};

constexpr FileCall kFileCalls[] = {
    {__NR_open, 0, 1, O_NOFOLLOW},
    {__NR_openat, 1, 2, O_NOFOLLOW},
    {__NR_openat2, 1, 0, 0},
    {__NR_stat, 0, 0, 0},
    {__NR_newfstatat, 1, 3, AT_SYMLINK_NOFOLLOW},
    {__NR_statx, 1, 2, AT_SYMLINK_NOFOLLOW},
    {__NR_readlink, 0, 0, 0},
    {__NR_readlinkat, 1, 0, 0},
    {__NR_access, 0, 0, 0},
    {__NR_faccessat, 1, 0, 0},
    {__NR_faccessat2, 1, 3, AT_SYMLINK_NOFOLLOW},
};

const FileCall* find_call(std::int64_t number) {
  for (const FileCall& call : kFileCalls)
    if (call.number == number) return &call;
  return nullptr;
}

/// Whether the guest asked to refuse links, or paths that leave a directory.
bool is_restricted(const Word arguments[6]) {
  open_how how = {};
  if (arguments[3] < sizeof how || !read_guest(arguments[2], how)) return true;
  return how.resolve != 0 || (how.flags & O_NOFOLLOW) != 0;
}

/// What the link in /proc would say: the kernel tells of files that are gone.
std::int64_t read_link(Word to, Word size) {
  if (static_cast<int>(size) <= 0) return -EINVAL;
  char name[kPathMax + 16];
  Text text(name, sizeof name);
  text << engine.paths.program;
  struct stat status {};
  const bool is_there = kernel_call(__NR_stat, word(engine.paths.program), word(&status)) == 0 &&
                        status.st_dev == engine.program_device &&
                        status.st_ino == engine.program_inode;
  if (!is_there && !find_suffix(name, kDeleted)) text << kDeleted;
  const Word copied = text.size() < size ? text.size() : size;
  if (!copy_guest(reinterpret_cast<void*>(to), name, copied)) return -EFAULT;
  return static_cast<std::int64_t>(copied);
}

}  // namespace

bool is_own_program(const char* path) {
  const char* rest = after_prefix(path, "/proc/");
  if (!rest) return false;
  if (is_same_text(rest, "self/exe") || is_same_text(rest, "thread-self/exe")) return true;
  char own[kLongestName];
  Text(own, sizeof own) << static_cast<Word>(kernel_call(__NR_getpid)) << "/exe";
  return is_same_text(rest, own);
}

bool guest_file_call(std::int64_t number, const Word arguments[6], std::int64_t& result) {
  const FileCall* const call = find_call(number);
  if (!call) return false;
  char path[kLongestName];
  if (!read_guest_string(arguments[call->path], path, sizeof path) || !is_own_program(path))
    return false;
  if (call->flags != 0 && (arguments[call->flags] & call->about_link) != 0) return false;
  if (number == __NR_openat2 && is_restricted(arguments)) return false;
  if (number == __NR_readlink || number == __NR_readlinkat) {
    result = read_link(arguments[call->path + 1], arguments[call->path + 2]);
    return true;
  }
  Word changed[6];
  std::memcpy(changed, arguments, sizeof changed);
  changed[call->path] = word(engine.paths.program);
  result =
      kernel_call(number, changed[0], changed[1], changed[2], changed[3], changed[4], changed[5]);
  return true;
}

}  // namespace bops::native
