#include "platform/elf_file.hpp"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <libelf.h>

#include <array>
#include <cstdio>
#include <span>

#include "platform/unique_fd.hpp"

namespace bops {

std::string elf_build_id(const std::string& path) {
  ::elf_version(EV_CURRENT);
  // O_NONBLOCK: the name may have become a FIFO since it was mapped.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return {};
  Elf* elf = ::elf_begin(fd.get(), ELF_C_READ_MMAP, nullptr);
  if (elf == nullptr) return {};
  std::string hex;
  const void* note = nullptr;
  const ssize_t size = ::dwelf_elf_gnu_build_id(elf, &note);
  if (size > 0)
    for (const std::uint8_t byte :
         std::span(static_cast<const std::uint8_t*>(note), static_cast<std::size_t>(size))) {
      std::array<char, 3> digits{};
      std::snprintf(digits.data(), digits.size(), "%02x", byte);
      hex += digits.data();
    }
  ::elf_end(elf);
  return hex;
}

}  // namespace bops
