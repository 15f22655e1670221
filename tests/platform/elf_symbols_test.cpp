// Held against nm, and against files that binutils strips and splits.
#include "platform/elf_symbols.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "platform/demangle.hpp"
#include "platform/elf_file.hpp"
#include "platform/files.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::TemporaryDirectory;
const std::string kSample = BOPS_ELF_SAMPLE;

/// Addresses by name, as nm prints them.
std::map<std::string, std::uint64_t> addresses(const std::string& path) {
  std::istringstream lines(harness::run({"nm", path}).output);
  std::map<std::string, std::uint64_t> found;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string address, type, name;
    if (line.front() != ' ' && words >> address >> type >> name)
      found[name] = std::stoull(address, nullptr, 16);
  }
  return found;
}

std::uint64_t address_of(const std::string& name) {
  static const auto known = addresses(kSample);
  return known.at(name);
}

std::string name_at(const ElfSymbols& symbols, std::uint64_t address) {
  const ElfFunction* function = symbols.at_address(address);
  return function != nullptr ? demangled(function->name) : "";
}

void binutils(const std::vector<std::string>& command) {
  const auto ended = harness::run(command);
  ASSERT_EQ(ended.code, 0) << command[0] << ": " << ended.errors;
}

/// The sample without .symtab, which has `symbols` in a separate file.
class Stripped : public ::testing::Test {
 protected:
  void SetUp() override {
    binutils({"objcopy", "--only-keep-debug", kSample, debug_});
    binutils({"strip", "-o", stripped_, kSample});
  }
  void install_by_build_id() {
    const std::string id = elf_build_id(kSample);
    ASSERT_GT(id.size(), 2U);
    const std::string folder = root_ + "/.build-id/" + id.substr(0, 2);
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(debug_, folder + "/" + id.substr(2) + ".debug");
  }

  TemporaryDirectory directory_;
  std::string root_ = directory_ / "root";
  std::string debug_ = directory_ / "sample.debug";
  std::string stripped_ = directory_ / "stripped.so";
};

TEST(ElfSymbols, finds_every_function_that_nm_lists) {
  const ElfSymbols symbols = ElfSymbols::read(kSample);
  for (const char* name : {"sample_global", "weak_only", "calls_another_library", "unsized",
                           "after_unsized", "nested", "label_alone"})
    EXPECT_EQ(name_at(symbols, address_of(name)), name);
  EXPECT_EQ(name_at(symbols, address_of("_ZNK6sample3BoxIlE5twiceEl")),
            "sample::Box<long>::twice(long) const");
  EXPECT_EQ(name_at(symbols, address_of("_ZN55_$LT$core..slice..Iter$LT$T$GT$$u20$as$u20$Iterator$"
                                        "GT$4next17h0123456789abcdefE")),
            "<core::slice::Iter<T> as Iterator>::next");
}

TEST(ElfSymbols, names_each_alias_address_the_same_way_every_time) {
  const ElfSymbols symbols = ElfSymbols::read(kSample);
  ASSERT_EQ(address_of("s_weak"), address_of("sample_global"));
  EXPECT_EQ(name_at(symbols, address_of("s_weak")), "sample_global");
  EXPECT_EQ(name_at(symbols, address_of("sample_global_alias")), "sample_global");
}

TEST(ElfSymbols, names_an_ifunc_at_the_address_of_its_chooser) {
  const std::uint64_t address = address_of("chosen_at_start");
  EXPECT_EQ(name_at(ElfSymbols::read(kSample), address), "chosen_at_start");
  EXPECT_EQ(name_at(ElfSymbols::read(kSample), address_of("chosen")), "chosen");
}

TEST(ElfSymbols, gives_unsized_functions_and_nested_ones_their_extent) {
  const ElfSymbols symbols = ElfSymbols::read(kSample);
  EXPECT_EQ(name_at(symbols, address_of("unsized") + 2), "unsized");
  EXPECT_EQ(name_at(symbols, address_of("inner_label")), "after_unsized");
  EXPECT_EQ(name_at(symbols, address_of("nested") + 1), "after_unsized");
  EXPECT_EQ(name_at(symbols, address_of("label_alone") + 1), "label_alone");
}

TEST(ElfSymbols, are_disjoint_and_in_order) {
  std::uint64_t end = 0;
  const ElfSymbols symbols = ElfSymbols::read(kSample);
  for (const ElfFunction& function : symbols.functions()) {
    EXPECT_GE(function.start, end) << function.name;
    EXPECT_GT(function.end, function.start) << function.name;
    end = function.end;
  }
}

TEST(ElfSymbols, are_found_by_their_place_in_the_file) {
  const ElfSymbols symbols = ElfSymbols::read(kSample);
  const auto content = read_file_whole(kSample);
  const std::string code = "\x90\x90\x90\x90\x90\x90\xc3\xc3\xc3";  // .text.assembly
  const std::size_t offset = content->find(code);
  ASSERT_NE(offset, std::string::npos);
  ASSERT_NE(symbols.at_file_offset(offset), nullptr);
  EXPECT_EQ(symbols.at_file_offset(offset)->name, "unsized");
  EXPECT_EQ(symbols.at_file_offset(offset + 7)->name, "label_alone");
  EXPECT_EQ(symbols.at_file_offset(content->size()), nullptr);
}

TEST(ElfSymbols, name_stubs_after_what_they_jump_to) {
  const ElfSymbols symbols = ElfSymbols::read(kSample);
  const auto has = [&](const std::string& name) {
    return std::any_of(symbols.functions().begin(), symbols.functions().end(),
                       [&](const ElfFunction& function) { return function.name == name; });
  };
  EXPECT_TRUE(has("getppid@plt"));
}

TEST_F(Stripped, file_falls_back_to_dynamic_symbols) {
  const ElfSymbols symbols = ElfSymbols::read(stripped_, root_);
  EXPECT_EQ(name_at(symbols, address_of("sample_global")), "sample_global");
  EXPECT_EQ(name_at(symbols, address_of("unsized")), "") << "hidden: not in .dynsym";
}

TEST_F(Stripped, file_finds_its_debug_file_by_build_id) {
  install_by_build_id();
  const ElfSymbols symbols = ElfSymbols::read(stripped_, root_);
  EXPECT_EQ(symbols.functions(), ElfSymbols::read(kSample).functions());
  EXPECT_EQ(symbols.at_file_offset(0x40), nullptr) << "segments are the file's own";
}

TEST_F(Stripped, file_finds_its_debug_file_by_link_in_all_three_places) {
  for (const std::string& folder :
       {directory_.path(), directory_ / ".debug", root_ + directory_.path()}) {
    const std::string linked = directory_ / "linked.so";
    const std::string debug = folder + "/sample.debug";
    if (debug != debug_) {
      std::filesystem::create_directories(folder);
      std::filesystem::rename(debug_, debug);
    }
    binutils({"objcopy", "--add-gnu-debuglink=" + debug, stripped_, linked});
    EXPECT_EQ(name_at(ElfSymbols::read(linked, root_), address_of("unsized")), "unsized") << debug;
    std::filesystem::rename(debug, debug_ + ".away");
    EXPECT_EQ(name_at(ElfSymbols::read(linked, root_), address_of("unsized")), "");
    std::filesystem::rename(debug_ + ".away", debug_);
  }
}

TEST_F(Stripped, file_takes_no_debug_file_of_another_build) {
  binutils({"objcopy", "--add-gnu-debuglink=" + debug_, stripped_, directory_ / "linked.so"});
  binutils({"objcopy", "--remove-section=.note.gnu.build-id", debug_});
  EXPECT_EQ(name_at(ElfSymbols::read(directory_ / "linked.so", root_), address_of("unsized")), "");
}

TEST_F(Stripped, file_without_a_build_id_takes_the_debug_file_with_the_right_checksum) {
  const std::string linked = directory_ / "linked.so";
  binutils({"objcopy", "--remove-section=.note.gnu.build-id", "--add-gnu-debuglink=" + debug_,
            stripped_, linked});
  EXPECT_EQ(name_at(ElfSymbols::read(linked, root_), address_of("unsized")), "unsized");
  std::ofstream(debug_, std::ios::app) << "one more byte";
  EXPECT_EQ(name_at(ElfSymbols::read(linked, root_), address_of("unsized")), "");
}

TEST(ElfSymbols, of_what_is_no_elf_file_are_none) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "text") << "no ELF file";
  std::ofstream(directory / "empty").close();
  std::ofstream(directory / "magic") << "\x7f"
                                        "ELF";
  for (const std::string& path : {directory / "text", directory / "empty", directory / "magic",
                                  directory / "absent", directory.path(), std::string("/dev/null")})
    EXPECT_TRUE(ElfSymbols::read(path).functions().empty()) << path;
}

TEST(ElfSymbols, of_every_truncation_are_read_without_harm) {
  const auto content = read_file_whole(kSample);
  const auto bytes = std::as_bytes(std::span(*content));
  EXPECT_EQ(ElfSymbols::parse(bytes).functions(), ElfSymbols::read(kSample).functions());
  for (std::size_t size = 0; size < bytes.size(); size += 37)
    (void)ElfSymbols::parse(bytes.first(size)).at_file_offset(size / 2);
}

}  // namespace
}  // namespace bops
