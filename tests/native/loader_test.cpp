/// The engine's host side against the kernel: a program that the engine has loaded, whose calls the
/// engine carries out, must not see a difference to a native run. See loader_probe.cpp.
#include <elf.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "collectors/exact/block_profile.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops::exact {
namespace {

std::string loaded_program(const std::string& name) {
  return BOPS_NATIVE_PROGRAMS "/" + name;
}

class Loader : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto created = create_block_profile(profile_path_, "native", 0);
    ASSERT_TRUE(created) << created.error().message;
  }
  harness::Ended run_loaded(std::vector<std::string> command,
                            const std::map<std::string, std::string>& variables = {}) {
    const std::string program = command[0];
    command.insert(command.begin(), {BOPS_LOADER_PROBE, profile_path_, program, program});
    return harness::run(command, variables);
  }
  /// Returns how both ended.
  harness::Ended expect_as_native(const std::vector<std::string>& command,
                                  const std::map<std::string, std::string>& variables = {}) {
    SCOPED_TRACE(testing::PrintToString(command));
    const harness::Ended native = harness::run(command, variables);
    const harness::Ended loaded = run_loaded(command, variables);
    EXPECT_EQ(loaded.output, native.output);
    EXPECT_EQ(loaded.errors, native.errors);
    EXPECT_EQ(loaded.code, native.code);
    EXPECT_EQ(loaded.signal, native.signal);
    return native;
  }
  /// Of what_it_sees.
  void expect_to_see_as_native(const std::string& program) {
    EXPECT_EQ(expect_as_native({program, "one", "", "two words"}).code, 7);
    EXPECT_EQ(expect_as_native({program}, {{"EMPTY", ""}, {"LONG", std::string(10000, 'x')}}).code,
              7);
  }
  [[nodiscard]] BlockProfile profile() const {
    const std::string content = read_start_of_profile();
    auto result = read_block_profile(std::as_bytes(std::span(content)));
    EXPECT_TRUE(result);
    return result ? *result : BlockProfile{};
  }
  [[nodiscard]] std::vector<std::string> executed() const {
    std::vector<std::string> paths;
    for (const auto& process : profile().processes) paths.push_back(process.path);
    return paths;
  }

  harness::TemporaryDirectory directory_;

  std::string profile_path_ = directory_ / "profile";

 private:
  /// It is sparse: no more than what was handed out.
  [[nodiscard]] std::string read_start_of_profile() const {
    bops_profile_header header{};
    std::ifstream file(profile_path_, std::ios::binary);
    file.read(reinterpret_cast<char*>(&header), sizeof header);
    std::string content(header.used, '\0');
    file.seekg(0).read(content.data(), static_cast<std::streamsize>(content.size()));
    return content;
  }
};

TEST_F(Loader, shows_a_program_what_execve_would_have_shown_it) {
  for (const auto& entry : std::filesystem::directory_iterator(BOPS_NATIVE_PROGRAMS)) {
    const std::string name = entry.path().filename();
    const std::set<std::string> others = {"change_code", "change_code-static", "exec_ways",
                                          "heap",        "odd_segments",       "overlay"};
    if (others.contains(name) || name.starts_with("musl-")) continue;
    expect_to_see_as_native(entry.path());
  }
}

TEST_F(Loader, shows_it_to_programs_of_another_c_library_too) {
  if (!std::filesystem::exists(loaded_program("musl-dynamic")))
    GTEST_SKIP() << "musl-tools was not installed when the tests were configured";
  for (const char* name : {"musl-dynamic", "musl-static"})
    expect_to_see_as_native(loaded_program(name));
}

/// What the file has behind the segments' ends shows whether the kernel clears it.
void fill_gaps_with_garbage(const std::string& path) {
  std::string file = harness::read_file(path);
  Elf64_Ehdr header{};
  std::memcpy(&header, file.data(), sizeof header);
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  std::memcpy(segments.data(), file.data() + header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr));
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    if (segments[i].p_type != PT_LOAD || segments[i].p_filesz == 0) continue;
    const std::size_t end = segments[i].p_offset + segments[i].p_filesz;
    std::size_t limit = (end + 4095) / 4096 * 4096;
    for (const Elf64_Phdr& other : segments)
      if (other.p_offset >= end && other.p_offset < limit) limit = other.p_offset;
    for (std::size_t at = end; at < std::min(limit, static_cast<std::size_t>(header.e_shoff)); ++at)
      file[at] = 'Z';
  }
  std::ofstream(path, std::ios::binary) << file;
}

TEST_F(Loader, clears_what_the_kernel_clears_and_no_more) {
  const std::string program = directory_ / "odd";
  std::filesystem::copy_file(loaded_program("odd_segments"), program);
  EXPECT_EQ(expect_as_native({program}).code, 5);
  fill_gaps_with_garbage(program);
  EXPECT_NE(expect_as_native({program}).output.find('Z'), std::string::npos)
      << "the kernel does not clear what is not writable";
}

TEST_F(Loader, runs_programs_of_every_kind) {
  expect_as_native({"/bin/true"});
  expect_as_native({"/bin/sh", "-c", "echo $0 $#; ls /; cat /proc/self/comm; exit 9", "a", "b"});
  expect_as_native({"/bin/sh", "-c", "kill -TERM $$"});
  expect_as_native({"/bin/sh", "-c", "seq 100000 | sort -R --random-source=/dev/zero | md5sum"});
  for (const char* program : {"threads", "dlopen_loop", "exec_chain", "vfork_exec", "fork_tree",
                              "segv_recover", "show_inheritance", "close_all_descriptors"}) {
    std::vector<std::string> command = {harness::target_program(program)};
    if (std::string(program) == "threads" || std::string(program) == "fork_tree")
      command.emplace_back("8");
    expect_as_native(command);
  }
}

TEST_F(Loader, keeps_the_list_of_executable_memory_in_step) {
  expect_as_native({loaded_program("change_code")});
  expect_as_native({loaded_program("change_code-static")});
  EXPECT_EQ(run_loaded({loaded_program("change_code")}).output, "changed\n");
}

/// From START-END rwxp ... PATH.
void expect_low(const std::string& maps) {
  std::istringstream lines(maps);
  for (std::string line; std::getline(lines, line);) {
    std::size_t after = 0;
    if (line.find(BOPS_LOADER_PROBE) != std::string::npos ||
        line.find("[vsyscall]") != std::string::npos || line.find("x") != line.find(" ") + 3)
      continue;
    (void)std::stoull(line, &after, 16);
    EXPECT_LE(std::stoull(line.substr(after + 1), nullptr, 16), 1ULL << 31) << line;
  }
}

TEST_F(Loader, puts_code_where_translations_reach_all_of_it) {
  for (const char* program :
       {"dynamic-pie", "dynamic-fixed", "static-pie", "large-pages", "large-pie", "large-fixed"}) {
    const std::string maps = run_loaded({loaded_program(program), "maps"}).output;
    EXPECT_NE(maps.find("r-xp"), std::string::npos) << program;
    expect_low(maps);
  }
}

/// A program that may be missing, and two scripts for it.
struct Interpreter {
  const char* path;
  const char* option;
  const char* script;
  const char* maps_option;
  const char* maps_script;  ///< prints its /proc/self/maps
};

class Interpreters : public Loader, public ::testing::WithParamInterface<Interpreter> {
 protected:
  void SetUp() override {
    Loader::SetUp();
    if (::access(GetParam().path, X_OK) != 0)
      GTEST_SKIP() << GetParam().path << " is not installed";
  }
};

TEST_P(Interpreters, run_as_they_do_alone) {
  expect_as_native({GetParam().path, GetParam().option, GetParam().script});
}

// Code that is generated, and libraries that are loaded late.
TEST_P(Interpreters, have_all_their_code_where_translations_reach_it) {
  const std::string maps =
      run_loaded({GetParam().path, GetParam().maps_option, GetParam().maps_script}).output;
  EXPECT_NE(maps.find("r-xp"), std::string::npos);
  expect_low(maps);
}

INSTANTIATE_TEST_SUITE_P(
    Installed, Interpreters,
    ::testing::Values(
        Interpreter{"/usr/bin/python3", "-c",
                    "import sys, subprocess, json, threading\n"
                    "print(sys.argv, sys.executable, subprocess.check_output(['readlink', "
                    "'/proc/self/exe']))\n"
                    "t = [threading.Thread(target=print, args=('thread',)) for _ in range(4)]\n"
                    "[x.start() or x.join() for x in t]",
                    "-c", "import ctypes, sqlite3\nprint(open('/proc/self/maps').read())"},
        Interpreter{"/usr/bin/perl", "-e", "print \"$0 $^X\\n\"; print `echo inner`", "-e",
                    "use POSIX; open(F, '/proc/self/maps'); print <F>"},
        Interpreter{"/usr/bin/node", "-e",
                    "let s = 0; for (let i = 0; i < 1e7; i++) s += i % 7; console.log(s, "
                    "process.argv, process.execPath)",
                    "-p", "fs.readFileSync('/proc/self/maps', 'utf8')"}),
    [](const auto& test) { return std::filesystem::path(test.param.path).filename().string(); });

/// The kernel lets neither the heap nor the vdso be moved.
void forbid_moving() {
  constexpr unsigned kRefuse = SECCOMP_RET_ERRNO | EPERM;
  const sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mremap, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_MM, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, kRefuse),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {std::size(filter), const_cast<sock_filter*>(filter)};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(99);
}

TEST_F(Loader, does_without_what_the_kernel_refuses) {
  const std::string program = loaded_program("heap");
  const harness::Ended native = harness::run({program});
  EXPECT_EQ(native.output, "heap at its place, clock goes, [heap] is shown, vdso: 1\n");
  const harness::Ended loaded = run_loaded({program});
  EXPECT_EQ(loaded.output, native.output);
  harness::Subprocess without({BOPS_LOADER_PROBE, profile_path_, program, program, program}, {}, {},
                              forbid_moving);
  const harness::Ended ended = without.wait();
  EXPECT_EQ(ended.output, "heap at its place, clock goes, [heap] is not shown, vdso: 0\n");
  EXPECT_EQ(ended.errors, "");
  EXPECT_EQ(ended.code, 0);
}

TEST_F(Loader, keeps_its_own_memory_to_itself) {
  const harness::Ended ended = run_loaded({loaded_program("overlay"), BOPS_LOADER_PROBE_ADDRESS});
  EXPECT_EQ(ended.output,
            "mmap: ENOMEM\nmmap beside: EEXIST\nmunmap: EINVAL\nmprotect: ENOMEM\n"
            "mremap: EFAULT\nmremap over: EFAULT\nmadvise: ENOMEM\n");
  EXPECT_EQ(ended.code, 0);
}

TEST_F(Loader, follows_every_way_to_execute_a_program) {
  const std::string ways = loaded_program("exec_ways");
  for (const char* way :
       {"plain", "descriptor", "open descriptor", "memory", "directory", "closed directory",
        "relative", "no link", "no arguments", "no environment", "bad vector", "bad string",
        "bad path", "bad flags", "empty path", "long argument"})
    for (const char* program : {"static-fixed", "dynamic-pie"})
      expect_as_native({ways, way, loaded_program(program), "x"});
  const std::string script = directory_ / "script";
  std::ofstream(script) << "#!" << loaded_program("static-fixed") << " -x\n";
  ::chmod(script.c_str(), 0755);
  for (const char* way : {"plain", "descriptor", "open descriptor", "directory", "closed directory",
                          "relative", "no arguments", "no link"})
    expect_as_native({ways, way, script, "x"});
  const std::string link = directory_ / "link";
  std::filesystem::create_symlink("/bin/true", link);
  for (const char* way : {"plain", "no link", "relative"}) expect_as_native({ways, way, link});
  EXPECT_TRUE(profile().uncounted.empty());
}

TEST_F(Loader, says_what_execve_says_of_what_cannot_be_executed) {
  const std::string ways = loaded_program("exec_ways");
  const std::string text = directory_ / "text", elf = directory_ / "elf", plain = directory_ / "p";
  std::ofstream(text) << "#!/no/such/interpreter\n";
  std::ofstream(elf, std::ios::binary) << harness::read_file("/bin/true").substr(0, 100);
  std::ofstream(plain) << "#!/bin/sh\n";
  ::chmod(text.c_str(), 0755);
  ::chmod(elf.c_str(), 0755);
  for (const std::string& path : {std::string("/no/such/file"), directory_.path(), text, elf, plain,
                                  std::string("/etc/passwd/x"), std::string(5000, 'x')})
    expect_as_native({ways, "plain", path});
  for (const auto& uncounted : profile().uncounted)
    ADD_FAILURE() << uncounted.path << " was not executed: " << uncounted.reason;
}

TEST_F(Loader, records_each_program_that_is_executed) {
  run_loaded({"/bin/sh", "-c", "/bin/true; exec /bin/cat /dev/null"});
  const auto resolved = [](const char* path) { return std::filesystem::canonical(path).string(); };
  EXPECT_EQ(executed(), (std::vector<std::string>{resolved("/bin/sh"), resolved("/bin/true"),
                                                  resolved("/bin/cat")}));
}

TEST_F(Loader, gives_the_room_for_long_arguments_to_the_next) {
  expect_as_native({loaded_program("exec_ways"), "large", "/bin/true"});
  EXPECT_EQ(executed().size(), 6U);
}

TEST_F(Loader, lets_a_program_run_uncounted_that_cannot_reach_the_engine) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can change the root directory";
  const harness::Ended ended =
      run_loaded({loaded_program("exec_ways"), "new root", loaded_program("odd_segments")});
  EXPECT_EQ(ended.code, 5);
  const BlockProfile result = profile();
  ASSERT_EQ(result.uncounted.size(), 1U);
  EXPECT_EQ(result.uncounted[0].path, "/odd_segments");
  EXPECT_NE(result.uncounted[0].reason.find("reached"), std::string::npos);
}

TEST_F(Loader, lets_a_program_run_uncounted_within_limits_that_are_too_small) {
  const harness::Ended ended = run_loaded(
      {loaded_program("exec_ways"), "little address space", loaded_program("odd_segments")});
  EXPECT_EQ(ended.code, 5);
  const BlockProfile result = profile();
  ASSERT_EQ(result.uncounted.size(), 1U);
  EXPECT_NE(result.uncounted[0].reason.find("ulimit -v"), std::string::npos);
}

TEST_F(Loader, refuses_what_it_cannot_load_in_one_line) {
  const harness::Ended ended = run_loaded({"/etc/passwd"});
  EXPECT_EQ(ended.code, 125);
  EXPECT_EQ(ended.errors,
            "bops: native engine: cannot load /etc/passwd: it is no x86-64 program\n");
  ASSERT_EQ(profile().messages.size(), 1U);
  const harness::Ended without =
      harness::run({BOPS_LOADER_PROBE, directory_ / "none", "x", "/bin/true", "x"});
  EXPECT_EQ(without.code, 125);
}

}  // namespace
}  // namespace bops::exact
