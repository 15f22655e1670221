#include "platform/debug_file.hpp"

#include <elfutils/libdwelf.h>

#include <array>
#include <cstdint>

#include "platform/files.hpp"

namespace bops {
namespace {

/// CRC-32 of ISO 3309, as .gnu_debuglink has it.
std::uint32_t crc32(std::string_view bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
      table[i] = i;
      for (int bit = 0; bit < 8; ++bit)
        table[i] = (table[i] >> 1) ^ ((table[i] & 1) != 0 ? 0xedb88320U : 0U);
    }
    return table;
  }();
  std::uint32_t crc = ~0U;
  for (const char byte : bytes)
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
  return ~crc;
}

std::optional<ElfImage> open_if_same_build(const std::string& path, const std::string& build_id) {
  auto file = ElfImage::open(path);
  if (!file || file->build_id() != build_id) return std::nullopt;
  return file;
}

std::optional<ElfImage> open_if_checksum(const std::string& path, std::uint32_t checksum) {
  auto file = ElfImage::open(path);  // first: a FIFO would not end
  if (!file) return std::nullopt;
  const auto content = read_file_whole(path);
  if (!content || crc32(*content) != checksum) return std::nullopt;
  return file;
}

}  // namespace

std::optional<ElfImage> open_debug_file(const ElfImage& image, const std::string& path,
                                        std::string_view debug_root) {
  const std::string root(debug_root);
  const std::string build_id = image.build_id();
  if (build_id.size() > 2) {
    auto file = open_if_same_build(
        root + "/.build-id/" + build_id.substr(0, 2) + "/" + build_id.substr(2) + ".debug",
        build_id);
    if (file) return file;
  }
  GElf_Word checksum = 0;
  const char* link = ::dwelf_elf_gnu_debuglink(image.get(), &checksum);
  if (link == nullptr) return std::nullopt;
  const std::string name = link;
  const std::size_t slash = path.rfind('/');
  if (name.empty() || name.find('/') != std::string::npos || slash == std::string::npos)
    return std::nullopt;
  const std::string folder = path.substr(0, slash + 1);
  const std::array<std::string, 3> folders{folder, folder + ".debug/", root + folder};
  for (const std::string& place : folders) {
    const std::string candidate = place + name;
    if (candidate == path) continue;
    auto file = build_id.empty() ? open_if_checksum(candidate, checksum)
                                 : open_if_same_build(candidate, build_id);
    if (file) return file;
  }
  return std::nullopt;
}

}  // namespace bops
