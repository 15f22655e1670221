// Writes files of instruction cases for runner.c.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/native/translated/case_file.h"
#include "tests/native/translated/form_list.hpp"

namespace bops::native {

struct Case {
  instruction_case data{};
  std::string kind;
  std::size_t form = 0;       ///< of a case of one form: which
  bool is_steppable = true;   ///< the trap flag survives it
  bool has_elements = false;  ///< a scatter, say, that is trapped after each, then may fault
  unsigned untrapped = 0;     ///< instructions after which the trap flag does not trap
  std::vector<std::uint8_t> code;
};

struct Cases {
  std::vector<Case> cases;
  std::vector<std::uint64_t> holes;
  std::vector<std::uint8_t> low, high;

  void write(const std::string& path) const;
};

/// `rounds` cases of each form by itself, in all ways to address memory.
Cases single_forms(const std::vector<Form>& forms, unsigned rounds, Random& random);

/// `count` cases of several forms in a row, in loops, and around transfers of control.
Cases mixed_forms(const std::vector<Form>& forms, unsigned count, Random& random);

}  // namespace bops::native
