#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/doubles/cuda/driver.hpp"

namespace bops::cuda_double {

const char* setting(const char* name) {
  static thread_local std::string value;
  const char* words = std::getenv("BOPS_FAKE_CUDA");
  const std::size_t length = std::strlen(name);
  for (const char* word = words; word != nullptr && *word != '\0';) {
    const std::size_t size = std::strcspn(word, " ");
    if (size > length && std::strncmp(word, name, length) == 0 && word[length] == '=') {
      value.assign(word + length + 1, size - length - 1);
      return value.c_str();
    }
    word += size;
    word += std::strspn(word, " ");
  }
  return nullptr;
}

}  // namespace bops::cuda_double
