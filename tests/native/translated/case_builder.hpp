// One instruction case in the making.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/native/translated/case_writer.hpp"

namespace bops::native {

class CaseBuilder {
 public:
  using Bytes = std::vector<std::uint8_t>;

  CaseBuilder(Cases& cases, const std::vector<Form>& forms, Random& random, bool is_high);

  std::array<std::uint64_t, 16> registers{};
  std::string kind;
  bool is_single = false;        ///< nothing follows: any register may be written
  bool is_rip_relative = false;  ///< memory operands are
  bool is_steppable = true;
  bool is_stack_lost = false;
  unsigned untrapped = 0;
  bool writes_memory = true;

  [[nodiscard]] std::size_t size() const { return code_.size(); }
  [[nodiscard]] std::uint64_t address(std::size_t offset) const { return start_ + offset; }
  /// Somewhere in the data; 64 bytes aligned more often than not.
  [[nodiscard]] std::uint64_t data_address(bool in_the_middle);
  [[nodiscard]] std::uint64_t random_flags();

  /// A form with random operands; false if what came out may not stand here.
  bool add_form(const Form& form);
  void add_forms(unsigned count);
  void add(const Bytes& instruction);
  /// Something that is never executed.
  void add_junk();
  /// A branch to a place that is not known yet: rel8 for one-byte opcodes but E8 and E9, else
  /// rel32.
  std::size_t add_branch(const Bytes& opcode);
  void land(std::size_t branch);
  void add_backwards(const Bytes& opcode, std::size_t target);
  /// An indirect jump (4) or call (2) through a register or memory.
  void add_indirect(unsigned digit, const std::function<std::uint64_t()>& target);
  void poke(std::uint64_t place, std::uint64_t value);
  /// No form may write these registers from here on.
  void keep(unsigned set) { kept_ = static_cast<std::uint16_t>(kept_ | set); }
  /// One that nothing depends on.
  [[nodiscard]] unsigned spare_register();
  void give_up() { is_given_up_ = true; }

  void finish();
  /// The last instruction ends where the page does, or is cut off there.
  void finish_at_page_end(bool is_cut);

 private:
  [[nodiscard]] bool may_stand_here(const Decoded& decoded) const;
  void aim_at_data(Bytes& bytes, const Decoded& decoded);
  [[nodiscard]] std::vector<std::uint8_t>& image() { return is_high_ ? cases_.high : cases_.low; }
  void store();

  Cases& cases_;
  const std::vector<Form>& forms_;
  Random& random_;
  bool is_high_;
  std::uint64_t start_;
  Bytes code_;
  std::vector<std::uint16_t> starts_;
  std::uint16_t pointers_ = 0, indexes_ = 0, kept_ = 0;
  bool is_given_up_ = false;
  bool small_vectors_ = false;
  std::uint64_t fs_base_;
  std::vector<case_poke> pokes_;
  std::vector<std::function<void()>> late_;  ///< what waits for addresses
};

}  // namespace bops::native
