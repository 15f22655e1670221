// A remark that belongs to a record: a stable code for programs, a sentence for people.
#pragma once

#include <string>

namespace bops {

struct Warning {
  std::string code;     ///< snake_case, stable between versions
  std::string message;  ///< one sentence
  friend bool operator==(const Warning&, const Warning&) = default;
};

}  // namespace bops
