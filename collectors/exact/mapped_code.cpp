#include "collectors/exact/mapped_code.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "platform/demangle.hpp"

namespace bops::exact {

// O_NONBLOCK: the name may have become a FIFO since it was mapped.
MappedFile::MappedFile(const std::string& path, std::string_view debug_root)
    : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
      symbols_(ElfSymbols::read(path, debug_root)) {}

bool MappedFile::holds(std::uint64_t offset, std::span<const std::uint8_t> bytes) const {
  std::vector<std::uint8_t> there(bytes.size());
  const ssize_t size = ::pread(fd_.get(), there.data(), there.size(), static_cast<off_t>(offset));
  return size == static_cast<ssize_t>(bytes.size()) &&
         std::equal(bytes.begin(), bytes.end(), there.begin());
}

std::string_view MappedFile::function_at(std::uint64_t offset) {
  const ElfFunction* function = symbols_.at_file_offset(offset);
  if (function == nullptr) return kUnknownFunction;
  const auto known = names_.find(function);
  if (known != names_.end()) return known->second;
  return names_.emplace(function, demangled(function->name)).first->second;
}

MappedFile* MappedCode::file_of(const BlockProfile::Mapping* mapping) {
  if (mapping == nullptr || !mapping->path.starts_with('/')) return nullptr;
  std::unique_ptr<MappedFile>& file = files_[mapping->path];
  if (!file) file = std::make_unique<MappedFile>(mapping->path, debug_root_);
  return file.get();
}

}  // namespace bops::exact
