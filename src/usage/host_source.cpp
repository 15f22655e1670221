#include "usage/host_source.hpp"

#include <sys/utsname.h>

#include <algorithm>

#include "platform/files.hpp"

namespace bops {
namespace {

/// The first word of a file; empty if it cannot be read.
std::string word_of(const std::string& path) {
  std::string text = read_file_whole(path).value_or("");
  text.erase(std::min(text.find_first_of(" \n"), text.size()));
  return text;
}

}  // namespace

std::string host_id() {
  for (const char* path : {"/etc/machine-id", "/var/lib/dbus/machine-id"})
    if (std::string id = word_of(path); id.size() == 32) return id;
  utsname names{};
  ::uname(&names);
  std::string name = std::string("host-") + names.nodename;
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && c != '.' && c != '-') c = '_';
  }
  return name.substr(0, 64);
}

std::string host_source() {
  return "/bops/" + host_id() + "/";
}

std::string new_run_source() {
  return host_source() + word_of("/proc/sys/kernel/random/boot_id") + "/" +
         word_of("/proc/sys/kernel/random/uuid");
}

}  // namespace bops
