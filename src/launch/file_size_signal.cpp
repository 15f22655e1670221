#include "launch/file_size_signal.hpp"

#include <csignal>

namespace bops {
namespace {

struct sigaction before {};
bool is_changed = false;

}  // namespace

void ignore_file_size_signal() {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  is_changed = ::sigaction(SIGXFSZ, &ignore, &before) == 0;
}

void restore_file_size_signal() {
  if (is_changed) ::sigaction(SIGXFSZ, &before, nullptr);
}

}  // namespace bops
