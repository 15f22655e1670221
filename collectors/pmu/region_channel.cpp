#include "collectors/pmu/region_channel.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>
#include <utility>

#include "platform/procfs.hpp"

namespace bops::pmu {
namespace {

Error channel_error(const char* doing) {
  return {std::string("cannot ") + doing +
              " a socket for regions: " + std::generic_category().message(errno),
          "", FailureKind::kRefused};
}

/// Length of the address; 0 without /proc.
socklen_t set_name(sockaddr_un& address) {
  struct stat name_space {};
  if (::stat("/proc/self/ns/pid", &name_space) != 0) return 0;
  const std::string name =
      BOPS_REGION_SOCKET + std::to_string(name_space.st_ino) + "-" + std::to_string(::getpid());
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());  // behind a NUL: abstract, unix(7)
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
}

bool watch(int ready, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  return ::epoll_ctl(ready, EPOLL_CTL_ADD, fd, &event) == 0;
}

/// Any process may connect to the socket; only those that bops follows have anything to ask.
bool is_followed(pid_t pid) {
  return read_status_number("/proc/" + std::to_string(pid) + "/status", "TracerPid") == ::getpid();
}

void send(int socket, const RegionGrant& grant) {
  bops_region_answer answer{grant.groups};
  iovec part{&answer, sizeof(answer)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(BOPS_REGION_MAX_DESCRIPTORS * sizeof(int))>
      control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!grant.descriptors.empty()) {
    const std::size_t size = grant.descriptors.size() * sizeof(int);
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), grant.descriptors.data(), size);
  }
  // Whoever has gone meanwhile needs no answer.
  (void)::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

Result<std::unique_ptr<RegionChannel>> RegionChannel::open() {
  UniqueFd listening(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  UniqueFd ready(::epoll_create1(EPOLL_CLOEXEC));
  if (!listening || !ready) return tl::unexpected(channel_error("make"));
  sockaddr_un address{};
  const socklen_t size = set_name(address);
  if (size == 0 ||
      ::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listening.get(), SOMAXCONN) != 0 || !watch(ready.get(), listening.get()))
    return tl::unexpected(channel_error("open"));
  UniqueFd spare(::fcntl(listening.get(), F_DUPFD_CLOEXEC, 0));
  return std::unique_ptr<RegionChannel>(
      new RegionChannel(std::move(ready), std::move(listening), std::move(spare)));
}

/// No descriptor is left: a thread must not wait for one. It goes on without its regions.
bool RegionChannel::refuse_one() {
  if (!spare_) return false;
  spare_.reset();
  const bool refused =
      static_cast<bool>(UniqueFd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  spare_.reset(::fcntl(listening_.get(), F_DUPFD_CLOEXEC, 0));
  return refused;
}

void RegionChannel::accept_all() {
  for (;;) {
    UniqueFd socket(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket && errno == EINTR) continue;
    if (!socket && (errno == EMFILE || errno == ENFILE) && refuse_one()) continue;
    if (!socket) return;
    ucred peer{};
    socklen_t size = sizeof(peer);
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0 ||
        !is_followed(peer.pid) || !watch(ready_.get(), socket.get()))
      continue;
    connections_.push_back({std::move(socket), peer.pid});
  }
}

void RegionChannel::serve(const Answer& answer) {
  accept_all();
  std::vector<Connection> waiting;
  for (Connection& connection : connections_) {
    std::int32_t tid = 0;
    const ssize_t got = ::recv(connection.socket.get(), &tid, sizeof(tid), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      waiting.push_back(std::move(connection));
      continue;
    }
    if (got == sizeof(tid)) send(connection.socket.get(), answer(connection.pid, tid));
  }
  connections_ = std::move(waiting);
}

}  // namespace bops::pmu
