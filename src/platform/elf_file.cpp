#include "platform/elf_file.hpp"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "platform/elf_image.hpp"

namespace bops {

std::optional<ElfImage> ElfImage::open(const std::string& path) {
  ::elf_version(EV_CURRENT);
  ElfImage image;
  // O_NONBLOCK: the name may have become a FIFO since it was mapped.
  image.fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!image.fd_ || ::fstat(image.fd_.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  image.elf_.reset(::elf_begin(image.fd_.get(), ELF_C_READ, nullptr));
  if (!image.is_elf()) return std::nullopt;
  return image;
}

std::optional<ElfImage> ElfImage::in_memory(std::span<const std::byte> bytes) {
  ::elf_version(EV_CURRENT);
  if (bytes.empty()) return std::nullopt;
  ElfImage image;
  image.bytes_.resize(bytes.size());
  std::memcpy(image.bytes_.data(), bytes.data(), bytes.size());
  image.elf_.reset(::elf_memory(image.bytes_.data(), image.bytes_.size()));
  if (!image.is_elf()) return std::nullopt;
  return image;
}

bool ElfImage::is_elf() const {
  return elf_ != nullptr && ::elf_kind(elf_.get()) == ELF_K_ELF;
}

std::string ElfImage::build_id() const {
  std::string hex;
  const void* note = nullptr;
  const ssize_t size = ::dwelf_elf_gnu_build_id(elf_.get(), &note);
  if (size > 0)
    for (const std::uint8_t byte :
         std::span(static_cast<const std::uint8_t*>(note), static_cast<std::size_t>(size))) {
      std::array<char, 3> digits{};
      std::snprintf(digits.data(), digits.size(), "%02x", byte);
      hex += digits.data();
    }
  return hex;
}

std::vector<ElfSection> ElfImage::sections() const {
  std::vector<ElfSection> sections;
  std::size_t names = 0;
  if (::elf_getshdrstrndx(elf_.get(), &names) != 0) return sections;
  Elf_Scn* section = nullptr;
  while ((section = ::elf_nextscn(elf_.get(), section)) != nullptr) {
    GElf_Shdr header{};
    if (::gelf_getshdr(section, &header) == nullptr) continue;
    const char* name = ::elf_strptr(elf_.get(), names, header.sh_name);
    sections.push_back({section, name != nullptr ? name : "", header});
  }
  return sections;
}

std::string elf_build_id(const std::string& path) {
  const auto image = ElfImage::open(path);
  return image ? image->build_id() : std::string();
}

}  // namespace bops
